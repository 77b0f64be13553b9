/**
 * The preview host grammar: `{port}-{label}.{base}`, one DNS label (RFC 1035 section 2.3.1) in front of a configured
 * base domain, such as `3000-0b9f….preview.example.com`. The label is a sandbox id or a signed preview token.
 *
 * The port has exactly one spelling: `02280-`, `+2280-` or `0x8e8-` is no preview host, because a later hop would
 * read such a spelling as a port whose protection was decided on the text.
 */

/** A host that names one port of one sandbox. */
export interface PreviewHost {
  readonly port: number;
  /** Sandbox id or signed token, lower case. */
  readonly label: string;
  /** The configured base domain, lower case, without port. */
  readonly base: string;
  /** `{base}` with the port of the Host header where it had one: what this sandbox's other preview hosts end in. */
  readonly authoritySuffix: string;
}

/** What a Host header means to the gateway. */
export type ParsedHost =
  | { readonly kind: "preview"; readonly host: PreviewHost }
  /** The base domain itself. */
  | { readonly kind: "base"; readonly base: string }
  /** Below a base domain, but no preview host. */
  | { readonly kind: "malformed" }
  /** An address or name that is not ours: health checks of a load balancer come this way. */
  | { readonly kind: "foreign" };

const FIRST_LABEL = /^([1-9][0-9]{0,4})-([a-z0-9_-]{1,57})$/;

/**
 * Classifies an authority (`host[:port]`, already checked by {@linkcode splitRequestUrl}) against the base domains,
 * which are lower case, carry no port, and come longest first where one lies below another.
 */
export function parseHost(
  authority: string,
  baseDomains: readonly string[],
): ParsedHost {
  const lower = authority.toLowerCase();
  const colon = lower.startsWith("[") ? -1 : lower.indexOf(":");
  const port = colon < 0 ? "" : lower.slice(colon);
  const absolute = colon < 0 ? lower : lower.slice(0, colon);
  const name = absolute.endsWith(".") ? absolute.slice(0, -1) : absolute;

  for (const base of baseDomains) {
    if (name === base) return { kind: "base", base };
    if (!name.endsWith(base) || name.at(-base.length - 1) !== ".") continue;
    const match = FIRST_LABEL.exec(name.slice(0, -base.length - 1));
    const sandboxPort = Number(match?.[1]);
    const label = match?.[2];
    if (label === undefined || sandboxPort > 65535) {
      return { kind: "malformed" };
    }
    const authoritySuffix = base + port;
    return {
      kind: "preview",
      host: { port: sandboxPort, label, base, authoritySuffix },
    };
  }
  return { kind: "foreign" };
}

/** Whether an Origin (RFC 6454 section 6.2) belongs to the same sandbox as `host`, on any of its ports. */
export function isSameSandboxOrigin(
  origin: string,
  host: Pick<PreviewHost, "label" | "authoritySuffix">,
  scheme: "http" | "https",
): boolean {
  const prefix = `${scheme}://`;
  const suffix = `.${host.authoritySuffix}`;
  if (!origin.startsWith(prefix) || !origin.endsWith(suffix)) return false;
  const match = FIRST_LABEL.exec(origin.slice(prefix.length, -suffix.length));
  return match?.[2] === host.label && Number(match[1]) <= 65535;
}
