/**
 * The headers of a toolbox's response. The client gets it below `/toolbox/{id}` of a base host, so the daemon's own URLs
 * would lead nowhere; and that host's origin is the one of logins, which no file of a sandbox may act for.
 */
import { toolboxPrefix } from "../address/app_target.ts";
import { TOOLBOX_PORT } from "../address/grammar.ts";
import type { HeaderList } from "../http/headers.ts";
import { responseHeaders } from "./response_headers.ts";

interface ToolboxAddress {
  readonly sandboxId: string;
  /** The public `host[:port]`. */
  readonly authority: string;
}

/**
 * The headers that a toolbox or a build may send on a base host: they concern the response itself or the program that
 * asked for it. Any other may affect the whole origin, which logins and every other sandbox's toolbox share: cookies,
 * stored data, service workers, transport security, reports of all later URLs (NEL), and whatever browsers come to
 * support.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  "accept-ranges",
  "age",
  "allow",
  "cache-control",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
  "retry-after",
  "server-timing",
  "vary",
]);

/** More headers that may pass, by prefix; not a policy of the daemon's, which could report the requested URL. */
const ALLOWED_PREFIX = /^(?:access-control-|content-(?!security-policy)|x-)/;

/** Headers whose value is a URI reference (RFC 9110 sections 8.7, 10.2.2). */
const REFERENCE_HEADER = /^(?:content-)?location$/i;

/**
 * Rewrites a URI reference from a toolbox's response for the client. An absolute path gets the toolbox's prefix, also
 * in a URL of the daemon (by its port, whatever the host), the upstream or the gateway; URLs of other hosts and relative
 * references stay as they are.
 */
export function toolboxReference(
  reference: string,
  { sandboxId, authority }: ToolboxAddress,
): string {
  const [origin, host] = /^https?:\/\/([^/?#]*)/i.exec(reference) ?? ["", ""];
  if (origin === "" && !/^\/(?![/\\])/.test(reference)) return reference;
  const path = reference.slice(origin.length);
  const upstreamPrefix = toolboxPrefix(sandboxId);
  const hasUpstreamPrefix = startsWithSegments(path, upstreamPrefix);
  const isToolbox = origin === "" || hasUpstreamPrefix ||
    host?.endsWith(`:${TOOLBOX_PORT}`) ||
    host?.toLowerCase() === authority.toLowerCase();
  if (!isToolbox) return reference;
  const prefix = `/toolbox/${sandboxId}`;
  const target = hasUpstreamPrefix ? path.slice(upstreamPrefix.length) : path;
  if (startsWithSegments(target, prefix)) return target;
  return prefix +
    (target === "" || target.startsWith("/") ? target : `/${target}`);
}

function startsWithSegments(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && /^(?:[/?#]|$)/.test(
    path.slice(prefix.length),
  );
}

/**
 * The end-to-end headers of what a sandbox or a build sent, for a client of a base host: opened in a browser, it is a
 * document with an opaque origin, and runs no scripts.
 */
export function inertResponseHeaders(headers: HeaderList): [string, string][] {
  return [
    ...responseHeaders(headers, "").filter(([name]) => {
      const lower = name.toLowerCase();
      return ALLOWED.has(lower) || ALLOWED_PREFIX.test(lower);
    }),
    ["content-security-policy", "sandbox"],
    ["x-content-type-options", "nosniff"],
  ];
}

/** {@linkcode inertResponseHeaders} of a toolbox, its references rewritten by {@linkcode toolboxReference}. */
export function toolboxResponseHeaders(
  headers: HeaderList,
  address: ToolboxAddress,
): [string, string][] {
  return inertResponseHeaders(headers).map(([name, value]) => [
    name,
    REFERENCE_HEADER.test(name) ? toolboxReference(value, address) : value,
  ]);
}
