/** Where the previews of a sandbox are at a Daytona that somebody else runs, and the token that opens them. */
import { isAlwaysPrivate, mayBePreviewToken } from "../../address/grammar.ts";
import type { Codec } from "../../cache/durable_tier.ts";
import type { AppOriginMode } from "../../config/config.ts";
import type { PreviewUrl } from "../../daytona/api.ts";
import type { Header, HeaderList } from "../../http/headers.ts";
import { parseOrigin } from "../../http/origin.ts";
import type { Sealer } from "../../lib/seal.ts";
import type { Destination, Refusals } from "../destination.ts";

/** Where the ports of a sandbox are, at `{port}-{id}` below a domain. */
export interface HostedPreview {
  /** `scheme://host[:port]` of the domain. */
  readonly domain: string;
  /** A secret: it opens all ports of the sandbox. */
  readonly token: string;
}

/**
 * What the API's answer about a port says of all ports; undefined if it is about another sandbox. The API finds ids and
 * names alike, so a sandbox that has the id of this one for its name may come in its place.
 *
 * @example
 * ```ts
 * readPreview({ sandboxId: "box", url: "https://3000-box.p.test", token: "t" }, "box", 3000);
 * // { domain: "https://p.test", token: "t" }
 * ```
 */
export function readPreview(
  { sandboxId: told, url, token }: PreviewUrl,
  sandboxId: string,
  port: number,
): HostedPreview | undefined {
  const { protocol, host, pathname } = new URL(url);
  const label = `${port}-${sandboxId.toLowerCase()}.`;
  if (told !== sandboxId || !host.startsWith(label) || pathname !== "/") {
    return undefined;
  }
  return { domain: `${protocol}//${host.slice(label.length)}`, token };
}

/** The header by which the proxy knows whoever may see a sandbox. */
const TOKEN_HEADER = "x-daytona-preview-token";

/** The token that requests to a destination carry; undefined if they carry none. */
export function tokenSentTo({ headers }: Destination): string | undefined {
  return headers.find(([name]) => name === TOKEN_HEADER)?.[1];
}

/**
 * What every request to the proxy says: no warning and no CORS headers of its own, as the gateway has both itself. Either
 * is obeyed only if the value is exactly this.
 */
const ALWAYS: HeaderList = [
  ["x-daytona-skip-preview-warning", "true"],
  ["x-daytona-disable-cors", "true"],
];

/** What a {@linkcode hostedDestination} depends on besides where the sandbox is. */
interface HostedVisit {
  readonly port: number;
  /** True if the proxy asks for no token: it would pass one on to the app. */
  readonly isPublic: boolean;
  /** True if the visitor was admitted without a credential: then the token must not open anything for them. */
  readonly isAnonymous: boolean;
  readonly appOrigin: AppOriginMode;
  readonly refusals: Refusals;
}

/** The destinations of a sandbox that were made so far; most requests are for one of a few. */
const made = new WeakMap<HostedPreview, Map<string, Destination>>();

/** The destination of requests for a port of a sandbox. */
export function hostedDestination(
  preview: HostedPreview,
  sandboxId: string,
  { port, isPublic, isAnonymous, appOrigin, refusals }: HostedVisit,
): Destination {
  const isOpen = isPublic && !isAlwaysPrivate(port) || isAnonymous;
  let all = made.get(preview);
  if (all === undefined) made.set(preview, all = new Map());
  const key = `${port} ${isOpen} ${appOrigin}`;
  let destination = all.get(key);
  if (destination === undefined) {
    const { domain, token } = preview;
    const tokenHeader: Header = [TOKEN_HEADER, token];
    destination = destinationAt(domain, `${port}-${sandboxId}`, {
      headers: isOpen ? ALWAYS : [tokenHeader, ...ALWAYS],
      appOrigin,
      refusals,
    });
    if (all.size < MAX_MADE) all.set(key, destination);
  }
  return destination;
}

/** Most destinations kept of one sandbox: a visitor may ask for all of its ports. */
const MAX_MADE = 64;

/** The destination of requests for what a signed link leads to; the link is the whole credential. */
export function linkDestination(
  domain: string,
  link: { readonly token: string; readonly port: number },
  rest: Pick<Destination, "appOrigin" | "refusals">,
): Destination {
  const label = `${link.port}-${link.token}`;
  return destinationAt(domain, label, { headers: ALWAYS, ...rest });
}

function destinationAt(
  domain: string,
  label: string,
  rest: Pick<Destination, "headers" | "appOrigin" | "refusals">,
): Destination {
  const [scheme = "", host = ""] = domain.split("//");
  const publicOrigin = `${scheme}//${label}.${host}`;
  return {
    origin: parseOrigin(publicOrigin),
    authority: `${label}.${host}`,
    pathPrefix: "",
    toolboxPrefix: undefined,
    reportsUse: true,
    publicOrigin,
    ...rest,
  };
}

/** Seals entries for the durable tier, as they contain the token. */
export function sealedPreview(sealer: Sealer): Codec<HostedPreview | null> {
  return {
    async encode(preview, staleUntil) {
      return preview && await sealer.seal({ ...preview }, staleUntil);
    },
    async decode(json) {
      if (json === null) return null;
      if (typeof json !== "string") return undefined;
      const { domain, token } = await sealer.open(json) ?? {};
      return typeof domain === "string" && typeof token === "string" &&
          /^https?:\/\/[^/?#@\s]+$/.test(domain) && mayBePreviewToken(token)
        ? { domain, token }
        : undefined;
    },
  };
}
