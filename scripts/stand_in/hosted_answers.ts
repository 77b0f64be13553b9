/** What the hosted proxy answers in place of an app: its login, its warning, and what it does about CORS. */
import type { ApiState } from "./api_state.ts";
import type { OwnAnswer } from "./runner_answers.ts";
import { type HeaderLines, valuesOf } from "./runner_forward.ts";

/** A request, as far as these answers depend on it. */
export interface HostedRequest {
  readonly method: string;
  /** The Host, as received. */
  readonly host: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly lines: HeaderLines;
}

/** Where the login of a visitor would come back to. */
export interface LoginOptions {
  readonly oidc: ApiState["config"]["oidc"];
  readonly scheme: "http" | "https";
  /** The proxy's domain, with its port. */
  readonly base: string;
  /** The sandbox, or the signed token. */
  readonly label: string;
}

/** The redirect to the login, which is also the answer to a token that is wrong or no longer right. */
export async function loginRedirect(
  { method, host, target }: HostedRequest,
  { oidc, scheme, base, label }: LoginOptions,
): Promise<OwnAnswer> {
  const verifier = crypto.randomUUID() + crypto.randomUUID();
  const state = JSON.stringify({
    returnTo: `${scheme}://${host}${target}`,
    sandboxId: label,
    state: crypto.randomUUID(),
  });
  const parameters = new URLSearchParams({
    audience: oidc.audience,
    client_id: oidc.clientId,
    code_challenge: base64url(
      new Uint8Array(
        await crypto.subtle.digest("SHA-256", utf8(verifier)),
      ),
    ),
    code_challenge_method: "S256",
    redirect_uri: `${scheme}://${base}/callback`,
    response_type: "code",
    scope: "openid profile",
    state: base64url(utf8(state)),
  });
  const location = `${oidc.issuer}/auth?${parameters}`;
  const domain = base.replace(/:\d+$/, "");
  const isGet = method === "GET";
  return {
    status: 307,
    headers: [
      ...isGet || method === "HEAD"
        ? [["Content-Type", "text/html; charset=utf-8"] as const]
        : [],
      ["Location", location],
      [
        "Set-Cookie",
        `pkce_verifier=${verifier}; Path=/; Domain=${domain}; Max-Age=300; HttpOnly`,
      ],
    ],
    body: isGet
      ? `<a href="${
        location.replaceAll("&", "&amp;")
      }">Temporary Redirect</a>.\n\n`
      : "",
  };
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

const ACCEPT_PATH = "/accept-daytona-preview-warning";
const ACCEPTED = "daytona-preview-page-accepted=true";

/** The answer to the button of the warning, which every host has, with and without warnings. */
export function acceptedWarning(
  { method, host, target }: HostedRequest,
  scheme: "http" | "https",
): OwnAnswer | undefined {
  const [path, query] = target.split("?", 2);
  if (method !== "POST" || path !== ACCEPT_PATH) return undefined;
  const to = new URLSearchParams(query).get("redirect") ?? "/";
  const domain = host.replace(/:\d+$/, "");
  const across = scheme === "https" ? "Secure; SameSite=None" : "SameSite=Lax";
  return {
    status: 302,
    headers: [
      ["Location", to],
      [
        "Set-Cookie",
        `${ACCEPTED}; Path=/; Domain=${domain}; Max-Age=86400; HttpOnly; ${across}`,
      ],
    ],
    body: "",
  };
}

/** The warning, which browsers get instead of whatever they asked for; undefined if it does not come now. */
export function warningPage(
  { host, target, lines }: HostedRequest,
  scheme: "http" | "https",
): OwnAnswer | undefined {
  const [agent = ""] = valuesOf(lines, "user-agent");
  const isBrowser = /^Mozilla\/5\.0 .*(Chrome|Firefox|Safari)\//.test(agent);
  // `keep-alive, Upgrade`, which Firefox sends, is not taken for one.
  const isWebSocket = valuesOf(lines, "connection")[0] === "Upgrade";
  const isSkipped =
    valuesOf(lines, "x-daytona-skip-preview-warning")[0] === "true";
  const isAccepted = valuesOf(lines, "cookie").some((value) =>
    value.split("; ").includes(ACCEPTED)
  );
  if (!isBrowser || isWebSocket || isSkipped || isAccepted) return undefined;
  const url = `${scheme}://${host}${target}`;
  return {
    status: 200,
    headers: [
      ["Content-Type", "text/html; charset=utf-8"],
      [
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
      ],
      ["X-Content-Type-Options", "nosniff"],
    ],
    body: `<!DOCTYPE html>
<html><head><title>Daytona Preview - Warning</title></head><body>
<form action="${ACCEPT_PATH}?redirect=${
      encodeURIComponent(url)
    }" method="POST"><button>Continue</button></form>
</body></html>
`,
  };
}

/** The header lines that every answer to a cross-origin request gets; none if that is switched off. */
export function corsLines({ lines }: HostedRequest): HeaderLines {
  const [origin = ""] = valuesOf(lines, "origin");
  if (origin === "" || isCorsDisabled(lines)) return [];
  return [
    ["Access-Control-Allow-Origin", origin],
    ["Access-Control-Allow-Credentials", "true"],
    ["Vary", "Origin"],
  ];
}

/** The answer to a preflight, which comes before anybody is authenticated. */
export function preflight(request: HostedRequest): OwnAnswer | undefined {
  const { method, lines } = request;
  if (method !== "OPTIONS" || corsLines(request).length === 0) return undefined;
  const names = lines.map(([name]) => name).join(",");
  return {
    status: 204,
    headers: [
      [
        "Access-Control-Allow-Methods",
        "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
      ],
      ["Access-Control-Allow-Headers", names],
      ["Access-Control-Max-Age", "43200"],
    ],
    body: "",
  };
}

/** Exactly `true`; the header goes on to the app if it has another value. */
export function isCorsDisabled(lines: HeaderLines): boolean {
  return valuesOf(lines, "x-daytona-disable-cors")[0] === "true";
}
