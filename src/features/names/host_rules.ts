/**
 * Which hosts may be names. Every host is written in one way only, in lower case, and no name is an own domain or reads as
 * a preview host; whoever may choose any label must get none that other software takes for the operator's.
 */
import { mayBeSignedToken } from "../../address/grammar.ts";
import { parseHost } from "../../address/preview_host.ts";
import type { KeptName } from "./kept_name.ts";

/** The operator's own domains, in lower case and without a port. */
export interface NameRules {
  /** Aliases are one label below it. */
  readonly namesDomain: string;
  readonly baseDomains: readonly string[];
}

/** A label of a host name (RFC 1035 section 2.3.1, RFC 1123 section 2.1). */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The longest host name, characters (RFC 1035 section 2.3.4). */
const MAX_LENGTH = 253;

/** As the last label, it makes browsers read a host as an IPv4 address (URL Standard, "ends in a number"). */
const NUMBER = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * Labels that no member gets: mail and browsers look there for what an operator says of a domain, certificate authorities
 * take their mailboxes' names for its owner's (CA/Browser Forum BR section 3.2.2.4.4), and visitors for the operator.
 */
const RESERVED = new Set(
  [
    "www api app auth oauth oidc sso login logout signin signup account accounts id",
    "admin administrator root webmaster hostmaster postmaster abuse security noc",
    "mail email webmail smtp imap pop pop3 mx autoconfig autodiscover mta-sts openpgpkey",
    "dns ns ntp ftp sftp ssh vpn proxy gateway wpad isatap localhost localdomain local",
    "status health ready metrics docs help support billing console dashboard internal",
    "cdn static assets preview porthole daytona",
  ].flatMap((line) => line.split(" ")),
);

/** Numbered ones of such servers. */
const NUMBERED = /^(?:ns|mx|dns|www|smtp|mail)[0-9]+$/;

/** What kind of name a member may have at a host, or why none. */
export function kindOf(
  host: string,
  { namesDomain, baseDomains }: NameRules,
): { readonly kind: KeptName["kind"] } | { readonly problem: string } {
  const problem = hostProblem(host, baseDomains);
  if (problem !== undefined) return { problem };
  const own = [namesDomain, ...baseDomains];
  if (own.some((domain) => domain === host || isBelow(domain, host))) {
    return { problem: "must not be one of the gateway's own domains" };
  }
  if (isBelow(host, namesDomain)) {
    const label = host.slice(0, -namesDomain.length - 1);
    const problem = label.includes(".")
      ? `must be one label below ${namesDomain}`
      : labelProblem(label);
    return problem === undefined ? { kind: "alias" } : { problem };
  }
  if (own.some((domain) => isBelow(host, domain))) {
    return { problem: `must be below ${namesDomain}, or a domain of yours` };
  }
  return host.split(".").length < 3
    ? { problem: "must have three labels, as nothing shorter has a CNAME" }
    : { kind: "domain" };
}

/** Why nobody can have a name at a host, not even the operator; undefined if somebody can. */
export function hostProblem(
  host: string,
  baseDomains: readonly string[],
): string | undefined {
  const labels = host.split(".");
  if (/[A-Z]/.test(host)) return "must be in lower case";
  if (/[:[\]]/.test(host)) return "must have no port, and be no IP address";
  if (host.length > MAX_LENGTH) {
    return `must have ${MAX_LENGTH} characters at most`;
  }
  if (!labels.every((label) => LABEL.test(label))) {
    return "must have labels of a-z, 0-9 and hyphens, with single dots between them only";
  }
  if (NUMBER.test(labels.at(-1) ?? "")) return "must be no IP address";
  // An app there could set cookies for all previews, and for the login.
  if (baseDomains.some((base) => isBelow(base, host))) {
    return "must not be above one of the gateway's own domains";
  }
  const { kind } = parseHost(host, baseDomains);
  if (kind === "base") return "must not be one of the gateway's own domains";
  return kind === "preview" ? "must not read as a preview host" : undefined;
}

/** Why a label cannot be an alias; undefined if it can. */
function labelProblem(label: string): string | undefined {
  if (/^[0-9]+-/.test(label)) return "must not read as a preview host";
  if (!/^[a-z]/.test(label)) return "must begin with a letter";
  if (label.slice(2, 4) === "--") {
    return "must not have hyphens at places 3 and 4, as encoded names do";
  }
  if (mayBeSignedToken(label)) {
    return "must not have 16 letters and digits, as the tokens of links do";
  }
  return RESERVED.has(label) || NUMBERED.test(label)
    ? "must not be a reserved word"
    : undefined;
}

function isBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`);
}
