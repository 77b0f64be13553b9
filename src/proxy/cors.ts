/**
 * Decides whether pages of other origins may read a preview's responses (Fetch standard, section 3.3).
 *
 * - `auto`: the app decides, and we do if it sends no Access-Control-Allow-Origin. To a page of its own sandbox, `*` and
 *   localhost with that page's port mean the page's public origin, with credentials: neither lets it use the session
 *   that a private preview asks for.
 * - `reflect`: we decide, as the proxy that we replace does; what the app sends is replaced, so no header appears twice.
 * - `off`, or `x-daytona-disable-cors: true` on the request: the app decides, and we add nothing.
 *
 * Our own policy: any origin may read what it gets without credentials, since a public preview can be read from
 * anywhere anyway, and a private one opens only with a credential that the page itself holds. The browser's credentials
 * are for the sandbox's own origins, on any port, and for those on the allow-list: the origins from which session
 * cookies count.
 *
 * A preflight carries no credentials, so for a private preview it never passes the gate, and its answer grants nothing.
 * With `reflect`, we answer every preflight at once; with `auto`, the app is asked if the gate admits it, and we answer if
 * not, or if the app does not (no Access-Control-Allow-Origin): so the page learns the reason from the actual request.
 *
 * Access-Control-Allow-Private-Network is never sent: a gateway may be on a private network, and it is not for the
 * gateway to let every page on the internet reach into that.
 */
import type { CorsMode } from "../config/config.ts";
import {
  hasHeader,
  type HeaderList,
  isName,
  type RequestHeaders,
  valuesOf,
} from "../http/headers.ts";
import { byName } from "../lib/by_name.ts";
import { localPort } from "./app_origin.ts";

export type CorsDecision =
  | { readonly kind: "off" }
  | {
    readonly kind: "on";
    /** True if our headers replace the app's. */
    readonly overrides: boolean;
    /** As received; null if the request has none, which caches must tell apart from one that has. */
    readonly origin: string | null;
    /** True if the page may use the browser's credentials. */
    readonly credentials: boolean;
    /** Undefined unless the page is of the sandbox that it asks. */
    readonly page?: SandboxPage | undefined;
  };

/** A page of a sandbox, and the preflight that it sends, if the request is one. */
interface SandboxPage {
  readonly port: number;
  readonly preflight: Preflight | undefined;
}

export interface CorsRequest {
  readonly mode: CorsMode;
  /** The client's headers, before any are removed. */
  readonly headers: RequestHeaders;
  /** True if pages of an origin may use the browser's credentials. */
  readonly isTrusted: (origin: string) => boolean;
  /** The port of a page's origin; undefined unless it may ask as a page of the same sandbox. */
  readonly pagePort?: (origin: string) => number | undefined;
}

/** The request that a CORS preflight asks permission for (Fetch standard, section 3.3.2). */
export interface Preflight {
  readonly method: string;
  /** Header names as a comma-separated list; null if only safelisted headers would be sent. */
  readonly headers: string | null;
}

/** Lifetime of our answer to a preflight in a browser, seconds: for a visit, not past a change of the policy. */
const PREFLIGHT_MAX_AGE_SEC = 600;

/** A Vary that says as much. */
const NAMES_ORIGIN = /(?:^|,)[ \t]*(?:origin|\*)[ \t]*(?:,|$)/i;

/** True for what {@linkcode allowHeaders} sets. */
const isGrant = byName((name) =>
  /^access-control-allow-(?:origin|credentials)$/i.test(name)
);

const isCorsHeader = byName((name) => /^access-control-/i.test(name));

export function corsDecision(request: CorsRequest): CorsDecision {
  const { mode, headers } = request;
  if (mode === "off" || headers.get("x-daytona-disable-cors") === "true") {
    return { kind: "off" };
  }
  const origin = headers.get("origin");
  const port = origin === null ? undefined : request.pagePort?.(origin);
  return {
    kind: "on",
    overrides: mode === "reflect",
    origin,
    credentials: origin !== null && request.isTrusted(origin),
    page: port === undefined
      ? undefined
      : { port, preflight: preflightOf("OPTIONS", headers) },
  };
}

/** The preflight that a request is; undefined if it is none. */
export function preflightOf(
  method: string,
  headers: RequestHeaders,
): Preflight | undefined {
  const requested = headers.get("access-control-request-method");
  if (method !== "OPTIONS" || requested === null || !headers.has("origin")) {
    return undefined;
  }
  return {
    method: requested,
    headers: headers.get("access-control-request-headers"),
  };
}

/** True if the app itself says who may read this response. */
export function hasAllowOrigin(headers: HeaderList): boolean {
  return hasHeader(headers, "access-control-allow-origin");
}

/** The headers of a response, the app's or ours, with the decision applied; no CORS header appears twice. */
export function withCors(
  headers: [string, string][],
  decision: CorsDecision,
): [string, string][] {
  if (decision.kind === "off") return headers;
  if (!decision.overrides && hasAllowOrigin(headers)) {
    return forSandboxPage(headers, decision);
  }
  // An app that refuses an origin may still send Access-Control-Allow-Credentials, which would add to what we allow.
  const result = headers.filter(([name]) => !isCorsHeader(name));
  if (decision.origin !== null) {
    const names = new Set(result.map(([name]) => name.toLowerCase()));
    result.push(
      ...allowHeaders(decision.origin, decision.credentials),
      // By name: `*` does not apply to responses to requests with credentials.
      ["access-control-expose-headers", [...names].join(", ")],
    );
  }
  // Without an Origin too: a cached response to a navigation must not be reused for another origin's script.
  return variedByOrigin(result);
}

/** Adds to headers that are ours. */
function variedByOrigin(headers: [string, string][]): [string, string][] {
  const isVaried = headers.some(([name, value]) =>
    isName(name, "vary") && NAMES_ORIGIN.test(value)
  );
  if (!isVaried) headers.push(["vary", "Origin"]);
  return headers;
}

/** What an app allows everybody, or a page by its local address, as the page of its sandbox can make use of it. */
function forSandboxPage(
  headers: [string, string][],
  { origin, page }: CorsDecision & { readonly kind: "on" },
): [string, string][] {
  if (origin === null || page === undefined) return headers;
  const [allowed = "", second] = valuesOf(
    headers,
    "access-control-allow-origin",
  );
  const isMeant = allowed === "*" || localPort(allowed) === page.port;
  if (!isMeant || second !== undefined) return headers;
  const { preflight } = page;
  // With credentials, `*` would be but a name.
  const everything: Readonly<Record<string, string | null | undefined>> = {
    "access-control-allow-methods": preflight?.method,
    "access-control-allow-headers": preflight?.headers,
    "access-control-expose-headers": headers.map(([name]) => name).join(", "),
  };
  const result = headers.map(([name, value]): [string, string] => [
    name,
    value === "*" ? everything[name.toLowerCase()] ?? value : value,
  ]).filter(([name]) => !isGrant(name));
  result.push(...allowHeaders(origin, true));
  return variedByOrigin(result);
}

/** The CORS headers of our answer to a preflight; every answer of ours has `no-store` and `Vary: Origin` already. */
export function preflightHeaders(
  preflight: Preflight,
  decision: CorsDecision,
): [string, string][] {
  if (decision.kind === "off" || decision.origin === null) return [];
  const headers = allowHeaders(decision.origin, decision.credentials);
  // Echoed: `*` does not apply to requests with credentials, and never covers Authorization.
  headers.push(["access-control-allow-methods", preflight.method]);
  if (preflight.headers !== null) {
    headers.push(["access-control-allow-headers", preflight.headers]);
  }
  headers.push(["access-control-max-age", String(PREFLIGHT_MAX_AGE_SEC)]);
  return headers;
}

function allowHeaders(
  origin: string,
  credentials: boolean,
): [string, string][] {
  const headers: [string, string][] = [["access-control-allow-origin", origin]];
  if (credentials) headers.push(["access-control-allow-credentials", "true"]);
  return headers;
}
