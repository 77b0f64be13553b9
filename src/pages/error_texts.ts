/** What a person reads about each error: what happened, and what to do about it. */
import type { ErrorCode } from "../errors.ts";

/** Public words for one error code; they hold nothing about the request or the machines behind it. */
export interface ErrorText {
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
}

/** The words for every code. */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  bad_host: {
    title: "This address is not a preview",
    detail: "The host name does not name a port of a sandbox.",
    hint:
      "A preview address looks like 3000-sandboxid.preview.example.com, with the port written plainly from 1 to 65535.",
  },
  bad_target: {
    title: "This path cannot be forwarded",
    detail:
      "The path of the request uses dot segments in a spelling that cannot be resolved safely.",
    hint: "Remove “..” and its encoded spellings from the path.",
  },
  bad_request: {
    title: "Something is missing in this request",
    detail: "A parameter is missing or not written as it has to be.",
    hint: "See /docs for what belongs there.",
  },
  bad_return_url: {
    title: "There is nowhere to return to",
    detail:
      "A login starts from a preview, and this one does not name one of ours.",
    hint: "Open the preview's own address.",
  },
  login_expired: {
    title: "This login has run out",
    detail:
      "It was started in another browser, too long ago, or is already over.",
    hint: "Open the preview's address again.",
  },
  login_failed: {
    title: "The login did not work",
    detail: "What the identity provider answered could not be accepted.",
    hint:
      "Open the preview's address again; if it happens again, tell the gateway's operator the request id below.",
  },
  session_not_kept: {
    title: "Your browser did not keep the session",
    detail:
      "You logged in a moment ago, but the preview was opened without the session.",
    hint: "Allow cookies for this site, then open the preview's address again.",
  },
  login_denied: {
    title: "The login was declined",
    detail: "The identity provider says that it was declined.",
    hint: "Open the preview's address again to log in after all.",
  },
  login_unavailable: {
    title: "Logging in is not possible right now",
    detail: "The identity provider does not answer, or is not known yet.",
    hint: "Try again in a few seconds.",
  },
  session_unavailable: {
    title: "Your session cannot be looked up",
    detail: "Where sessions are kept could not be reached.",
    hint: "Try again in a few seconds.",
  },
  logout_incomplete: {
    title: "You are not logged out yet",
    detail: "Where sessions are kept could not be reached.",
    hint: "Try again in a few seconds.",
  },
  cross_site_request: {
    title: "This must come from the gateway's own page",
    detail: "The request was sent by a script, or by a page of another site.",
    hint: "Open the page itself and use its button.",
  },
  too_many_refusals: {
    title: "Too many failed attempts",
    detail: "Your address has failed too often within the last minute.",
    hint: "Wait a moment, and check the address and the token.",
  },
  login_required: {
    title: "This preview is private",
    detail: "The request carries nothing that opens it.",
    hint:
      "Open it with a preview link that includes a token, or send the token in the X-Daytona-Preview-Token header.",
  },
  credential_invalid: {
    title: "This token does not open the preview",
    detail:
      "The token is wrong, or it was replaced when the sandbox restarted.",
    hint: "Ask for a fresh preview link.",
  },
  signed_token_invalid: {
    title: "This preview link has ended",
    detail: "The link expired, was revoked, or belongs to another port.",
    hint: "Ask for a fresh signed link.",
  },
  sandbox_not_found: {
    title: "No such sandbox",
    detail: "The sandbox does not exist, or you have no access to it.",
    hint: "Check the address. A deleted sandbox does not come back.",
  },
  container_not_found: {
    title: "The sandbox is not where it was",
    detail:
      "The machine that should run the sandbox does not have it: it is being moved, archived or deleted.",
    hint: "Start the sandbox, or wait until it has started, and reload.",
  },
  build_log_not_found: {
    title: "There is no build log",
    detail:
      "Nothing was built under this id, or you have no access to it, or its log is gone.",
    hint: "Check the id and the API key.",
  },
  port_not_served: {
    title: "Previews are turned off here",
    detail: "This gateway serves the toolbox of sandboxes, and no other port.",
    hint: "Ask its operator where previews are served.",
  },
  method_not_allowed: {
    title: "This method is not forwarded",
    detail: "TRACE would echo the gateway's own credentials.",
    hint: "Use another method.",
  },
  route_not_found: {
    title: "Nothing is here",
    detail: "The gateway has no such page.",
    hint: "See /docs for what it has.",
  },
  upload_stalled: {
    title: "The upload stopped",
    detail: "Nothing more of the request came for too long.",
    hint: "Check the connection and send it again.",
  },
  target_too_long: {
    title: "This address is too long",
    detail: "The path and query are longer than the gateway forwards.",
    hint: "Send what is long in the body of a POST.",
  },
  head_too_large: {
    title: "The request's headers are too large",
    detail: "They have more fields or octets than the gateway forwards.",
    hint: "Often these are cookies: delete those of this site.",
  },
  upgrade_required: {
    title: "This is no WebSocket handshake",
    detail: "The request asks for a WebSocket, but not in version 13.",
    hint: "Open the address with a WebSocket client (RFC 6455).",
  },
  internal: {
    title: "Something broke in the gateway",
    detail: "The gateway failed while it handled this request.",
    hint: "Try again, and tell its operator the request id below.",
  },
  runner_unreachable: {
    title: "The sandbox cannot be reached",
    detail: "The machine that runs the sandbox does not answer.",
    hint: "Try again in a moment.",
  },
  runner_protocol_error: {
    title: "The answer made no sense",
    detail: "The app's answer is not valid HTTP, so it was not passed on.",
    hint: "Look at what the app in the sandbox writes to its connection.",
  },
  runner_refused: {
    title: "The sandbox's machine refused the gateway",
    detail: "The gateway is not accepted by the machine that runs the sandbox.",
    hint: "Tell the gateway's operator the request id below.",
  },
  port_closed: {
    title: "Nothing listens on this port",
    detail: "The sandbox runs, but no app answers on this port.",
    hint: "Start the app, or wait until it has started, and reload.",
  },
  toolbox_unreachable: {
    title: "The sandbox does not answer",
    detail:
      "It runs, but Daytona's own service in it, which leads to its ports, is down.",
    hint: "Wait a moment; if it stays so, restart the sandbox.",
  },
  sandbox_stopped: {
    title: "The sandbox is stopped",
    detail: "It has to run before its ports can be opened.",
    hint: "Start the sandbox and reload.",
  },
  api_unreachable: {
    title: "The sandbox cannot be looked up",
    detail: "The Daytona API does not answer at the moment.",
    hint: "Try again in a few seconds.",
  },
  overloaded: {
    title: "Too much at once",
    detail: "The gateway is at its limit of requests in flight.",
    hint: "Try again in a few seconds.",
  },
  sandbox_overloaded: {
    title: "Too much at once for this sandbox",
    detail: "The sandbox is at its limit of requests in flight.",
    hint: "Try again in a few seconds.",
  },
  too_many_tunnels: {
    title: "Too many WebSockets",
    detail: "The gateway is at its limit of open WebSockets.",
    hint: "Try again in a few seconds.",
  },
  shutting_down: {
    title: "The gateway is restarting",
    detail: "It takes no new requests.",
    hint: "Try again in a few seconds.",
  },
  runner_timeout: {
    title: "The app took too long",
    detail: "The app in the sandbox did not begin to answer in time.",
    hint: "Look at what the app is doing, or try again.",
  },
};
