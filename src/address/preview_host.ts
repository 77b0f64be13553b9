/**
 * The grammar of preview hosts: `{port}-{label}.{base}`, one DNS label (RFC 1035 section 2.3.1) in front of a
 * configured base domain, such as `3000-0b9f….preview.example.com`. A port has one spelling: a later hop might read
 * `02280-`, `+2280-` or `0x8e8-` as port 2280, although access was decided for another text.
 */
import { MAX_AUTHORITY_LENGTH } from "../http/request_url.ts";
import { copyOf } from "../lib/copy_of.ts";
import { Lru } from "../lib/lru.ts";
import { isAlwaysPrivate, LABEL, mayBeSignedToken } from "./grammar.ts";
import type { NameSource } from "./known_names.ts";

/** A host that names one port of one sandbox. */
export interface PreviewHost {
  readonly port: number;
  /** The sandbox id or signed token, in lower case. */
  readonly label: string;
  /** The configured base domain, in lower case, without a port. */
  readonly base: string;
  /** `{base}` plus the Host header's port, if it had one: how all preview hosts of this sandbox end. */
  readonly authoritySuffix: string;
  /** The name of the port that was asked for in place of its preview host, with the Host header's port; `label` is an id. */
  readonly name?: string;
  /** The ports of the sandbox's names, by these without a port; undefined if it has none. */
  readonly names?: ReadonlyMap<string, number>;
}

/** The kinds of authorities that a request can name. */
export type ParsedHost =
  | { readonly kind: "preview"; readonly host: PreviewHost }
  /** The base domain itself. */
  | { readonly kind: "base"; readonly base: string }
  /** Below a base domain, but not a preview host. */
  | { readonly kind: "malformed"; readonly authoritySuffix: string }
  /** A name that leads nowhere for now. */
  | { readonly kind: "suspended" }
  /** Reads as a preview host, but below none of the base domains; or is a name while none of these is known. */
  | { readonly kind: "unknown_domain" }
  /** Any other address or name that is not ours, as in a load balancer's health checks. */
  | { readonly kind: "foreign" };

const FIRST_LABEL = new RegExp(`^([1-9][0-9]{0,4})-(${LABEL})$`);

const MAX_CACHED = 1000;

/** Most domains whose cookies a host is relieved of. */
const MAX_PARENTS = 5;

/**
 * Classifies an authority (`host[:port]`, validated by {@linkcode splitRequestUrl}) against the base domains: these are
 * in lower case, have no port, and are sorted so that a subdomain of another comes before it.
 * @example With `["p.test"]`, `3000-box.p.test:8443` is a preview, port 3000 of `box`, with the suffix `p.test:8443`;
 * `p.test` is a base, and `03000-box.p.test` malformed
 */
export function parseHost(
  authority: string,
  baseDomains: readonly string[],
): ParsedHost {
  const { name, port } = splitAuthority(authority);
  for (const base of baseDomains) {
    if (name === base) return { kind: "base", base };
    if (!name.endsWith(base) || name.at(-base.length - 1) !== ".") continue;
    const first = parseFirstLabel(name.slice(0, -base.length - 1));
    const authoritySuffix = base + port;
    if (first === undefined) return { kind: "malformed", authoritySuffix };
    return { kind: "preview", host: { ...first, base, authoritySuffix } };
  }
  const dot = name.indexOf(".");
  return dot > 0 && parseFirstLabel(name.slice(0, dot)) !== undefined
    ? { kind: "unknown_domain" }
    : { kind: "foreign" };
}

/** The host in lower case, without a trailing dot, and the port with its colon; empty if there is none. */
export function splitAuthority(
  authority: string,
): { readonly name: string; readonly port: string } {
  const lower = authority.toLowerCase();
  const colon = lower.startsWith("[") ? -1 : lower.indexOf(":");
  const port = colon < 0 ? "" : lower.slice(colon);
  const host = colon < 0 ? lower : lower.slice(0, colon);
  return { name: host.endsWith(".") ? host.slice(0, -1) : host, port };
}

function parseFirstLabel(text: string) {
  const match = FIRST_LABEL.exec(text);
  const port = Number(match?.[1]);
  const label = match?.[2];
  return label === undefined || port > 65535 ? undefined : { port, label };
}

/**
 * How people mistype the first label: zeros, another separator or something in front of it, or the port last. Every part
 * has a greatest length, so that an attempt that fails has read few characters, and a long host takes linear time.
 */
const MISTYPED = new RegExp(
  `(?:^|\\.)(?:0{0,9}([1-9][0-9]{0,4})[-._]{1,4}(${LABEL})|(${LABEL})[-._]{1,4}0{0,9}([1-9][0-9]{0,4}))$`,
);

/**
 * The preview host that a malformed one, which ends with the suffix, probably means; undefined if that is not clear.
 * @example `03000-box.p.test`, `3000.box.p.test`, `box-3000.p.test` and `www.3000-box.p.test` mean `3000-box.p.test`
 */
export function likelyHost(
  authority: string,
  authoritySuffix: string,
): Omit<PreviewHost, "base"> | undefined {
  const name = authority.toLowerCase().slice(0, -authoritySuffix.length - 1);
  const [, port, label, labelFirst, portLast] = MISTYPED.exec(name) ?? [];
  const text = `${port ?? portLast}-${label ?? labelFirst}`;
  const first = parseFirstLabel(text);
  return first && { ...first, authoritySuffix };
}

/** The host that a malformed one, which ends with the suffix, may be meant for as a name: no signed link mistyped. */
export function likelyName(
  authority: string,
  authoritySuffix: string,
): string | undefined {
  const name = authority.toLowerCase();
  const label = name.slice(0, -authoritySuffix.length - 1);
  return /^[a-z][a-z0-9-]*$/.test(label) &&
      !label.split("-").some(mayBeSignedToken)
    ? name
    : undefined;
}

/** The authority of a preview, `host[:port]`, in its one spelling: the name if it was asked for by that. */
export function previewAuthority(
  { name, port, label, authoritySuffix }: Omit<PreviewHost, "base">,
): string {
  return name ?? `${port}-${label}.${authoritySuffix}`;
}

/** The host itself for its own port, and the preview host of another port of the same sandbox. */
export function hostOfPort(
  host: Omit<PreviewHost, "base">,
  port: number,
): Omit<PreviewHost, "base"> {
  if (port === host.port) return host;
  const { name: _, ...others } = host;
  return { ...others, port };
}

/** A host without the Host header's port, as browsers keep cookies by it: the name if it was asked for by that. */
export function hostName({ name, port, label, base }: PreviewHost): string {
  return name === undefined
    ? `${port}-${label}.${base}`
    : splitAuthority(name).name;
}

/** The domain that a host is directly below: whoever sets a cookie for it, or one above it, shares that with others. */
export function parentDomain(
  { name, base }: Pick<PreviewHost, "name" | "base">,
): string {
  return name === undefined
    ? base
    : splitAuthority(name).name.slice(name.indexOf(".") + 1);
}

/** All domains that a host is below and that a cookie can be for, the nearest first: that one, and four more at most. */
export function parentDomains(host: PreviewHost): string[] {
  const labels = parentDomain(host).split(".");
  return labels.slice(0, MAX_PARENTS)
    .map((_, i) => labels.slice(i).join("."))
    .filter((domain, i) => i === 0 || domain.includes("."));
}

/** The origin of a preview host (RFC 6454 section 6.2). */
export function previewOrigin(
  host: Omit<PreviewHost, "base">,
  scheme: "http" | "https",
): string {
  return `${scheme}://${previewAuthority(host)}`;
}

/**
 * The port of a preview, by its origin (RFC 6454 section 6.2), a preview host's or a name's; undefined unless it is of the
 * same sandbox as `host`.
 */
export function portOfSandboxOrigin(
  origin: string,
  { label, authoritySuffix, names }: Pick<
    PreviewHost,
    "label" | "authoritySuffix" | "names"
  >,
  scheme: "http" | "https",
): number | undefined {
  const prefix = `${scheme}://`;
  if (!origin.startsWith(prefix)) return undefined;
  const authority = origin.slice(prefix.length);
  const suffix = `.${authoritySuffix}`;
  if (authority.endsWith(suffix)) {
    const parsed = parseFirstLabel(authority.slice(0, -suffix.length));
    // Another sandbox's preview host is no name, whoever says so.
    if (parsed) return parsed.label === label ? parsed.port : undefined;
  }
  const { port } = splitAuthority(authoritySuffix);
  return authority.endsWith(port)
    ? names?.get(authority.slice(0, authority.length - port.length))
    : undefined;
}

/** The origins of a port of a host's sandbox, as {@linkcode portOfSandboxOrigin} knows them. */
export function originsOfPort(
  { name: _, ...host }: Omit<PreviewHost, "base">,
  port: number,
  scheme: "http" | "https",
): string[] {
  const named = [...host.names ?? []].filter(([, of]) => of === port);
  const { port: ownPort } = splitAuthority(host.authoritySuffix);
  return [
    previewOrigin({ ...host, port }, scheme),
    ...named.map(([name]) => `${scheme}://${name}${ownPort}`),
  ];
}

/** Classifies an authority, as {@linkcode parseHost} does: a name is the preview that it leads to. */
export type HostParser = (authority: string) => ParsedHost;

/** The parser of a gateway that has these base domains now, and these names. */
export function createHostParser(
  baseDomains: () => readonly string[],
  names: NameSource,
): HostParser {
  const parse = createCachedParser(baseDomains);
  return function hostParser(authority) {
    const parsed = parse(authority);
    if (parsed.kind === "base") return parsed;
    if (parsed.kind === "preview") {
      const { host } = parsed;
      const ofSandbox = names.of(host.label);
      return ofSandbox
        ? { kind: "preview", host: { ...host, names: ofSandbox } }
        : parsed;
    }
    return parseName(authority, baseDomains(), names) ?? parsed;
  };
}

/** What a name leads to; undefined if the authority is none. */
function parseName(
  authority: string,
  bases: readonly string[],
  names: NameSource,
): ParsedHost | undefined {
  const { name: host, port } = splitAuthority(authority);
  const found = names.find(host);
  if (found === undefined) return undefined;
  // Its login is on the base domain that it is below, or on the longest one.
  const base = bases.find((each) => host.endsWith(`.${each}`)) ?? bases[0];
  if (base === undefined) return { kind: "unknown_domain" };
  if (found.isSuspended) return { kind: "suspended" };
  const target = `${found.port}-${found.sandboxId.toLowerCase()}`;
  const first = parseFirstLabel(target);
  // Daytona's own services have no name, nor has a signed link, which is a secret.
  const isOfApp = first !== undefined && !isAlwaysPrivate(first.port) &&
    !mayBeSignedToken(first.label);
  if (!isOfApp) return undefined;
  const preview = { ...first, base, authoritySuffix: base + port };
  const ofSandbox = names.of(first.label);
  const named = { ...preview, name: host + port };
  return {
    kind: "preview",
    host: ofSandbox ? { ...named, names: ofSandbox } : named,
  };
}

/** A parser that caches the latest preview hosts, as long as `baseDomains` returns the very same array. */
function createCachedParser(
  baseDomains: () => readonly string[],
): (authority: string) => ParsedHost {
  const cache = new Lru<string, ParsedHost>({ max: MAX_CACHED });
  let cachedFor: readonly string[] = [];

  return function hostParser(authority) {
    const bases = baseDomains();
    if (bases !== cachedFor) {
      cache.clear();
      cachedFor = bases;
    }
    const cached = cache.get(authority);
    if (cached !== undefined) return cached;
    // One out of a parameter may have any length, and clients choose what is cached.
    if (authority.length > MAX_AUTHORITY_LENGTH) {
      return parseHost(authority, bases);
    }
    const copy = copyOf(authority); // it was cut out of the request's URL
    const parsed = parseHost(copy, bases);
    if (parsed.kind === "preview") cache.set(copy, parsed);
    return parsed;
  };
}
