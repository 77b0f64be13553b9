/**
 * A preview host's part in the handover of a login (see login_code.ts): it sends a browser to log in, and receives it with
 * a code.
 */
import { TRANSACTION_TTL_MS } from "../../auth/oidc/transaction.ts";
import type { OwnCookies } from "../../auth/own_cookies.ts";
import type { SessionSealer } from "../../auth/session.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import { cookieValues } from "../../http/cookies.ts";
import { wantsDocument } from "../../http/fetch_metadata.ts";
import { redirect } from "../../pages/redirect.ts";
import { CODE_PARAMETER, type Handover } from "./login_code.ts";

/** The parts of an exchange that the handover depends on. */
type HandoverExchange = Pick<
  PreviewExchange,
  "method" | "headers" | "host" | "authority" | "target" | "ownParameters"
>;

/** Dependencies of {@linkcode PreviewHandover}. */
interface PreviewHandoverOptions {
  readonly scheme: "http" | "https";
  readonly cookies: Pick<OwnCookies, "handover" | "hostSession" | "hostOnly">;
  readonly sessions: Pick<SessionSealer, "seal">;
  readonly handover: Pick<Handover, "request" | "redeem">;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
}

/** Sends browsers to the login of the base host, and receives them. */
export class PreviewHandover {
  readonly #options: PreviewHandoverOptions;

  constructor(options: PreviewHandoverOptions) {
    this.#options = options;
  }

  /** The URL of the login with what it needs to hand over, and a Set-Cookie value by which the browser is known again. */
  departure(
    { headers }: HandoverExchange,
    loginUrl: string,
  ): { readonly location: string; readonly setCookie: string } {
    const { cookies, handover } = this.#options;
    const { verifier, challenge } = handover.request(
      verifiersOf(headers, cookies),
    );
    const maxAgeSec = TRANSACTION_TTL_MS / 1000;
    return {
      location: `${loginUrl}&challenge=${challenge}`,
      setCookie: cookies.hostOnly(cookies.handover, verifier, maxAgeSec),
    };
  }

  /** True if a browser comes with a code. From anything else that has one, it is taken away, and of no effect. */
  isArrival({ method, headers, ownParameters }: HandoverExchange): boolean {
    return ownParameters.has(CODE_PARAMETER) && method === "GET" &&
      wantsDocument(headers);
  }

  /**
   * The redirect to the same address without the code. It sets the session if the code is good: otherwise the browser
   * is sent to log in again, unless it has a session already.
   *
   * @throws {GatewayError} `session_unavailable`
   */
  async arrival(
    { headers, host, authority, target, ownParameters }: HandoverExchange,
  ): Promise<Response> {
    const { scheme, cookies, sessions, handover, now } = this.#options;
    // Absolute: a target of `//elsewhere/` must stay a path of this host.
    const location = `${scheme}://${authority}${target}`;
    const verifiers = verifiersOf(headers, cookies);
    const code = ownParameters.get(CODE_PARAMETER) ?? "";
    const session = await handover.redeem(code, host, verifiers);
    if (session === undefined) return redirect(303, location);
    const maxAgeSec = Math.floor((session.expiresAt - now()) / 1000);
    const sealed = await sessions.seal(session);
    return redirect(303, location, [
      cookies.hostOnly(cookies.hostSession, sealed, maxAgeSec),
    ]);
  }
}

function verifiersOf(
  headers: HandoverExchange["headers"],
  cookies: Pick<OwnCookies, "handover">,
): string[] {
  return cookieValues(headers.get("cookie") ?? "", cookies.handover);
}
