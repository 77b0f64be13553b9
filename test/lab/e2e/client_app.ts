/** An app whose visitors log in at a provider of its own: its client, with the app's host for its redirect URI. */
import { decodeJwt } from "jose";
import { createHash } from "node:crypto";
import type { OpenidProvider } from "../../../scripts/stand_in/provider.ts";
import { serveOnLoopback } from "./scenarios/isolation_apps.ts";

/** A login that is under way, by its state; or one that has ended. */
type Visit =
  | { readonly kind: "login"; readonly verifier: string }
  | { readonly kind: "session"; readonly user: string };

/** The path of its only redirect URI. */
export const CALLBACK = "/oauth/callback";

/** Starts it on a free port; its page has a link to the login, or says who is in. Disposing of it stops its server. */
export function startClientApp(
  title: string,
  provider: OpenidProvider,
): AsyncDisposable & { readonly port: number } {
  const visits = new Map<string, Visit>();

  function begin(origin: string): Response {
    const state = crypto.randomUUID();
    const verifier = crypto.randomUUID() + crypto.randomUUID();
    visits.set(state, { kind: "login", verifier });
    const query = new URLSearchParams({
      client_id: provider.clientId,
      redirect_uri: origin + CALLBACK,
      response_type: "code",
      scope: "openid",
      state,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    return leadTo(`${provider.issuer}/auth?${query}`);
  }

  async function finish(origin: string, query: URLSearchParams) {
    const visit = visits.get(query.get("state") ?? "");
    if (visit?.kind !== "login") return page("No such login");
    const answer = await fetch(`${provider.url}/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: provider.clientId,
        code: query.get("code") ?? "",
        redirect_uri: origin + CALLBACK,
        code_verifier: visit.verifier,
      }),
    });
    const { id_token: token } = await answer.json();
    const { sub: user = "" } = decodeJwt(String(token));
    const id = crypto.randomUUID();
    visits.set(id, { kind: "session", user });
    const cookie = `app=${id}; Path=/; Secure; HttpOnly; SameSite=Lax`;
    return leadTo("/", { "set-cookie": cookie });
  }

  function home(cookie: string): Response {
    const [, id = ""] = /(?:^|; )app=([^;]+)/.exec(cookie) ?? [];
    const visit = visits.get(id);
    return page(
      visit?.kind === "session"
        ? `<p>${visit.user} is in ${title}</p>`
        : `<a href="/login">Log in to ${title}</a>`,
    );
  }

  return serveOnLoopback(async ({ url, headers }) => {
    const { pathname, searchParams } = new URL(url);
    const origin = `${headers.get("x-forwarded-proto")}://${
      headers.get("x-forwarded-host")
    }`;
    if (pathname === "/login") return begin(origin);
    if (pathname === CALLBACK) return await finish(origin, searchParams);
    return home(headers.get("cookie") ?? "");
  });
}

function leadTo(location: string, headers: HeadersInit = {}): Response {
  const response = new Response(null, { status: 303, headers });
  response.headers.set("location", location);
  return response;
}

function page(body: string): Response {
  return new Response(
    `<!doctype html><link rel="icon" href="data:,"><body>${body}`,
    { headers: { "content-type": "text/html" } },
  );
}
