/** What visitors are told whom no session has opened a preview, where more is known than that it is private. */
import { carriedSessions } from "../auth/credentials.ts";
import { type FrameCause, GatewayError } from "../errors.ts";
import { isFramed } from "../http/fetch_metadata.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { PreviewExchange } from "./preview_route.ts";

/** What is known besides the request. */
interface Circumstances
  extends Pick<ExchangeServices, "scheme" | "cookies" | "allowedOrigins"> {
  /** True if the client was given a session a moment ago. */
  readonly hasOpenedLink: boolean;
  readonly hasLogin: boolean;
  /** Where to log in; undefined if that is not possible from here. */
  readonly loginUrl: string | undefined;
}

/** `frame_refused` with its cause, or `session_not_kept`; undefined if there is nothing to say. */
export function missingSession(
  { received: { method, headers }, route: { host } }: PreviewExchange,
  { hasOpenedLink, hasLogin, loginUrl: retryUrl, ...services }: Circumstances,
): GatewayError | undefined {
  const sessions = carriedSessions({ method, headers, host, ...services });
  const isNotKept = hasOpenedLink && sessions === "none";
  if (isFramed(headers)) {
    let frameCause: FrameCause = hasLogin ? "login_needed" : "no_session";
    if (isNotKept) frameCause = "cookie_not_kept";
    if (sessions === "unusable") {
      frameCause = headers.has("referer") ? "not_listed" : "no_referer";
    }
    const advice = { frameCause };
    return new GatewayError("frame_refused", "Refused at the gate", { advice });
  }
  if (!isNotKept) return undefined;
  const reason = "A link was opened a moment ago";
  return new GatewayError("session_not_kept", reason, { advice: { retryUrl } });
}
