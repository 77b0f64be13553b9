/**
 * Who may read a preview's answers from another origin's page (Fetch standard, section 3.3).
 *
 * - `auto`: the app speaks for itself, and we speak where it sets no Access-Control-Allow-Origin.
 * - `reflect`: we always speak, as Daytona's proxy does, and what the app says is replaced, so nothing is said twice.
 * - `off`, or `X-Daytona-Disable-CORS: true` on the request: the app speaks, and where it does not, nobody.
 *
 * What we say: any origin may read what it gets without credentials, since a public preview can be read from anywhere
 * anyhow and a private one does not open without a credential that the page itself holds. Credentials of the browser's
 * are for the sandbox's own origins, on any port, and those on the allow-list: the origins whose session cookie counts.
 *
 * A preflight carries no credentials, so for a private preview it never gets past the gate; nor does its answer grant
 * or reveal anything that the check of the actual request does not. With `reflect` we therefore answer every preflight
 * at once; with `auto` the app is asked where the gate lets the preflight pass, and we answer whatever the app does not
 * (no Access-Control-Allow-Origin), the gate refuses or the runner fails. The page then learns the true reason from the
 * actual request, where otherwise a browser would show no more than a CORS error.
 *
 * Access-Control-Allow-Private-Network is never sent: whether a page of the internet may reach into the network that
 * a gateway is hidden in is not for the gateway to grant to everybody.
 */
import type { Fields } from "../lib/fields.ts";
import type { CorsMode } from "../config.ts";

/** Whether, and what, we say about a request's origin. */
export type CorsDecision =
  /** Nothing. */
  | { readonly kind: "off" }
  | {
    readonly kind: "on";
    /** Whether our word replaces the app's. */
    readonly overrides: boolean;
    /** As received; null where the request has none, which caches must tell apart from one that has. */
    readonly origin: string | null;
    /** Whether the page may use the browser's credentials. */
    readonly credentials: boolean;
  };

/** What {@linkcode corsDecision} looks at. */
export interface CorsRequest {
  readonly mode: CorsMode;
  /** The client's, before anything is stripped. */
  readonly headers: Fields;
  /** Whether pages of an origin are trusted with the browser's credentials. */
  readonly isTrusted: (origin: string) => boolean;
}

/** A question whether a request may be sent (Fetch standard, CORS-preflight request). */
export interface Preflight {
  readonly method: string;
  /** The field names, as one list; null where only safelisted ones would be sent. */
  readonly fields: string | null;
}

/** How long a browser may rely on the answer to a preflight, seconds: a page's visit, not a change of the policy. */
const PREFLIGHT_MAX_AGE_SEC = 600;

const CORS_FIELD = /^access-control-/i;

/** Decides what to say to a request. */
export function corsDecision(request: CorsRequest): CorsDecision {
  const { mode, headers } = request;
  if (mode === "off" || headers.get("x-daytona-disable-cors") === "true") {
    return { kind: "off" };
  }
  const origin = headers.get("origin");
  return {
    kind: "on",
    overrides: mode === "reflect",
    origin,
    credentials: origin !== null && request.isTrusted(origin),
  };
}

/** The preflight that a request is; undefined where it is an ordinary request. */
export function preflightOf(
  method: string,
  headers: Fields,
): Preflight | undefined {
  const asked = headers.get("access-control-request-method");
  if (method !== "OPTIONS" || asked === null || !headers.has("origin")) {
    return undefined;
  }
  return {
    method: asked,
    fields: headers.get("access-control-request-headers"),
  };
}

/** Whether the app has said itself who may read this response; where a preflight has no such answer, we give it. */
export function speaksCors(
  fields: readonly (readonly [name: string, value: string])[],
): boolean {
  return fields.some(([name]) =>
    name.toLowerCase() === "access-control-allow-origin"
  );
}

/** The fields of a response, the app's or ours, with what is decided put in: never two values of one. */
export function withCors(
  fields: [string, string][],
  decision: CorsDecision,
): [string, string][] {
  if (decision.kind === "off") return fields;
  if (!decision.overrides && speaksCors(fields)) return fields;
  // An app that refuses an origin may still send Access-Control-Allow-Credentials: beside our origin it would grant.
  const result = fields.filter(([name]) => !CORS_FIELD.test(name));
  if (decision.origin !== null) {
    result.push(
      ...grant(decision.origin, decision.credentials),
      // By name, as `*` does not cover answers to requests with credentials.
      ["access-control-expose-headers", namesIn(result)],
    );
  }
  // Also without an Origin: the answer to a navigation must not be reused for a script of another origin.
  if (!fields.some(variesByOrigin)) result.push(["vary", "Origin"]);
  return result;
}

/** What our answer to a preflight says, beside what every answer of ours does (no-store, Vary: Origin). */
export function preflightFields(
  preflight: Preflight,
  decision: CorsDecision,
): [string, string][] {
  if (decision.kind === "off" || decision.origin === null) return [];
  const fields = grant(decision.origin, decision.credentials);
  // Repeated, not `*`, which answers no request with credentials and never covers Authorization.
  fields.push(["access-control-allow-methods", preflight.method]);
  if (preflight.fields !== null) {
    fields.push(["access-control-allow-headers", preflight.fields]);
  }
  fields.push(["access-control-max-age", String(PREFLIGHT_MAX_AGE_SEC)]);
  return fields;
}

function grant(origin: string, credentials: boolean): [string, string][] {
  const fields: [string, string][] = [["access-control-allow-origin", origin]];
  if (credentials) fields.push(["access-control-allow-credentials", "true"]);
  return fields;
}

function namesIn(fields: readonly [string, string][]): string {
  return [...new Set(fields.map(([name]) => name.toLowerCase()))].join(", ");
}

function variesByOrigin([name, value]: [string, string]): boolean {
  return name.toLowerCase() === "vary" &&
    value.split(",").some((member) =>
      /^[ \t]*(?:origin|\*)[ \t]*$/i.test(member)
    );
}
