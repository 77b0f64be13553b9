/** The texts that people read about each error: the event, and their remedy. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import type { ErrorCode } from "../errors.ts";

/** The public text of one error code; it says nothing about the request but its port, and nothing of the machines behind. */
export interface ErrorText {
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  /** In place of the hint beside a button that does what it says. */
  readonly buttonHint?: string;
  /** What the link to another attempt says, where it leads to the login. */
  readonly retry?: string;
}

/** The text of a code, about a port of a sandbox if it is known. */
export function errorText(code: ErrorCode, port?: number): ErrorText {
  const text = ERROR_TEXTS[code];
  return { ...text, detail: text.detail.replace("{port}", nameOf(port)) };
}

function nameOf(port: number | undefined): string {
  if (port === undefined) return "this port";
  return port === TOOLBOX_PORT ? "the toolbox" : `port ${port}`;
}

/** The texts of all codes; `{port}` in a detail stands for the port. */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  bad_host: {
    title: "This address is not a preview",
    detail: "The host name does not identify a port of a sandbox.",
    hint:
      "A preview address looks like 3000-sandboxid.preview.example.com; the port is a number from 1 to 65535, without leading zeros.",
  },
  bad_target: {
    title: "This path cannot be forwarded",
    detail:
      "The path is malformed, or contains dot segments that cannot be resolved safely.",
    hint: "Remove “..” and its encoded forms from the path.",
  },
  bad_request: {
    title: "This request is not valid",
    detail: "A parameter is missing or malformed.",
    hint: "See /docs for what the gateway expects.",
  },
  bad_return_url: {
    title: "There is nowhere to return to",
    detail:
      "The address to return to after the login is not one of this gateway's previews.",
    hint: "Open the preview's own address.",
  },
  login_expired: {
    title: "This login has expired",
    detail:
      "It was started in another browser or too long ago, or it is already complete.",
    hint: "Open the preview's address again.",
  },
  login_failed: {
    title: "The login failed",
    detail: "The identity provider's response could not be accepted.",
    hint:
      "Open the preview's address again. If that does not help, report the request ID to the gateway's operator.",
  },
  session_not_kept: {
    title: "Your browser did not keep the session",
    detail:
      "You have just logged in, but the preview was opened without the session cookie.",
    hint: "Allow cookies for this site, then open the preview's address again.",
  },
  login_denied: {
    title: "The login was declined",
    detail: "The identity provider reports that the login was declined.",
    hint: "To log in after all, open the preview's address again.",
  },
  login_unavailable: {
    title: "Logging in is not possible right now",
    detail: "The identity provider is not responding, or is not known yet.",
    hint: "Try again in a few seconds.",
  },
  session_unavailable: {
    title: "Your session cannot be looked up",
    detail: "The session store could not be reached.",
    hint: "Try again in a few seconds.",
  },
  logout_incomplete: {
    title: "You are not logged out yet",
    detail: "The session store could not be reached.",
    hint: "Try again in a few seconds.",
  },
  cross_site_request: {
    title: "This must be done on the gateway's own page",
    detail: "The request was sent by a script, or by a page of another site.",
    hint: "Open the page itself and use its button.",
  },
  webhook_refused: {
    title: "This webhook is not signed with the gateway's secret",
    detail:
      "The signature is missing or wrong, or the message was signed more than five minutes ago.",
    hint:
      "Set WEBHOOK_SECRET to the signing secret of the endpoint in Daytona's dashboard.",
  },
  too_many_refusals: {
    title: "Too many failed attempts",
    detail:
      "Too many requests from your address have failed within the last minute.",
    hint: "Check the address and the token, and try again in a moment.",
  },
  user_throttled: {
    title: "Daytona asks you to wait",
    detail:
      "Your organization has sent it too many requests, or your address too many wrong keys.",
    hint: "Try again once the time in Retry-After is over.",
  },
  login_required: {
    title: "This preview is private",
    detail: "The request has no credential that opens it.",
    hint:
      "Open it with a preview link that includes a token, or send the token in the X-Daytona-Preview-Token header, or an API key as Authorization: Bearer. After a redirect, send the cookie too (curl: -c and -b).",
  },
  frame_refused: {
    title: "This preview is not open in this frame",
    detail:
      "It is private. Within another page, a login counts only if that page may use it, and none begins.",
    hint:
      "Open the preview in a tab of its own. A page may frame it if it is on another port of the same sandbox or in the gateway's ALLOWED_ORIGINS, and if its Referrer-Policy lets it send its origin.",
  },
  credential_invalid: {
    title: "This token or key does not give access",
    detail:
      "It is wrong or has expired, or the sandbox was restarted, which replaces its preview token.",
    hint: "Ask for a new preview link, or check the API key.",
    retry: "Log in instead",
  },
  signed_token_invalid: {
    title: "This preview link is not valid",
    detail: "The link has expired, was revoked, or belongs to another port.",
    hint: "Ask for a new signed link.",
  },
  signed_url_invalid: {
    title: "This signed URL is not valid",
    detail:
      "It has expired or was changed, the sandbox's signing key was rotated, or it is for another method.",
    hint:
      "Ask for a new URL, and use it exactly as it is: a download by GET, an upload by POST.",
  },
  sandbox_not_found: {
    title: "No such sandbox",
    detail: "The sandbox does not exist, or you do not have access to it.",
    hint: "Check the address. Deleted sandboxes do not come back.",
  },
  sandbox_deleted: {
    title: "The sandbox was deleted",
    detail: "It was one of your organization's, and no longer exists.",
    hint: "Deleted sandboxes do not come back: open another one.",
  },
  no_access: {
    title: "You have no access to this sandbox",
    detail:
      "You are logged in, but with an account that may not see this sandbox, or the sandbox does not exist.",
    hint: "Check the address, or log in with another account.",
    retry: "Log in with another account",
  },
  container_not_found: {
    title: "The sandbox is not on its machine",
    detail:
      "The machine that should run the sandbox does not have it: it is being moved, archived or deleted.",
    hint: "Start the sandbox or wait until it has started, then reload.",
  },
  sandbox_destroying: {
    title: "The sandbox is being deleted",
    detail: "It no longer serves {port}.",
    hint: "Deleted sandboxes do not come back: open another one.",
  },
  build_log_not_found: {
    title: "No such build log",
    detail:
      "Nothing was built under this ID, its log is gone, or you do not have access to it.",
    hint: "Check the ID and the API key.",
  },
  port_not_served: {
    title: "This is not served here",
    detail:
      "This gateway serves only the previews of sandboxes, or only their toolboxes, and this is something else.",
    hint:
      "Toolboxes and build logs of app.daytona.io are at Daytona's own addresses. Otherwise, ask the gateway's operator.",
  },
  method_not_allowed: {
    title: "This method is not forwarded",
    detail: "TRACE would echo the gateway's own credentials.",
    hint: "Use another method.",
  },
  route_not_found: {
    title: "Page not found",
    detail: "The gateway has no such page.",
    hint: "See /docs for the pages that it has.",
  },
  unknown_domain: {
    title: "This gateway does not serve this domain",
    detail:
      "The address looks like a preview's, but its domain is not one of this gateway's.",
    hint:
      "Check the address. The gateway's operator names its domains in PROXY_DOMAIN.",
  },
  upload_stalled: {
    title: "The upload stalled",
    detail: "The rest of the request did not arrive in time.",
    hint: "Check the connection and send the request again.",
  },
  target_too_long: {
    title: "This address is too long",
    detail: "Its path and query are longer than the gateway allows.",
    hint: "Send long values in the body of a POST request.",
  },
  head_too_large: {
    title: "The request's headers are too large",
    detail: "There are more headers, or longer ones, than the gateway allows.",
    hint:
      "Cookies are often the cause. If they are, your browser has just deleted those that were set for all previews: load the page again.",
  },
  upgrade_required: {
    title: "This WebSocket version is not supported",
    detail: "The request asks for a WebSocket, but not for version 13.",
    hint: "Connect with a WebSocket client that supports RFC 6455.",
  },
  internal: {
    title: "Something went wrong in the gateway",
    detail: "The gateway failed to handle this request.",
    hint:
      "Try again. If that does not help, report the request ID to the gateway's operator.",
  },
  runner_unreachable: {
    title: "The sandbox cannot be reached",
    detail: "The machine that runs the sandbox is not responding.",
    hint: "Try again in a moment.",
  },
  runner_protocol_error: {
    title: "The app sent an invalid response",
    detail:
      "What came from {port} of the sandbox is not valid HTTP, so it was not passed on.",
    hint: "Check what the app in the sandbox writes to its connection.",
  },
  runner_refused: {
    title: "The way to the sandbox is closed to the gateway",
    detail:
      "What leads to the sandbox does not accept the gateway's credentials. That can take a few seconds after a start.",
    hint:
      "Try again in a moment. If that does not help, report the request ID to the gateway's operator.",
  },
  port_closed: {
    title: "Nothing is listening on this port",
    detail: "The sandbox is running, but no app answers on {port}.",
    hint: "Start the app, or wait until it has started.",
  },
  app_refused_websocket: {
    title: "The app refused the WebSocket",
    detail:
      "Something listens on {port} of the sandbox, but it ended the connection without a valid answer to the handshake.",
    hint:
      "Check the app's log: many servers refuse origins and hosts that they do not know.",
  },
  toolbox_unreachable: {
    title: "The sandbox is not responding",
    detail:
      "It is running, but the Daytona service inside it, which gives access to {port}, does not respond.",
    hint: "Wait a moment. If that does not help, restart the sandbox.",
  },
  start_expired: {
    title: "This button has expired",
    detail: "The page with it was opened too long ago, or by somebody else.",
    hint: "Open the preview's address again, and press the button there.",
  },
  start_not_allowed: {
    title: "You may not start this sandbox",
    detail: "Daytona does not let you start it, or it was deleted.",
    hint: "Ask a member of the sandbox's organization to start it.",
  },
  start_throttled: {
    title: "There were too many starts",
    detail:
      "This sandbox, you, or its organization at Daytona has used up what may be started for now.",
    hint:
      "Try again later, within the hour at the latest, or start the sandbox in Daytona.",
  },
  start_refused: {
    title: "The sandbox cannot be started",
    detail:
      "Daytona did not start it: a limit of its organization is reached, for example, or its runner failed.",
    hint:
      "A member of its organization can find out why in Daytona’s dashboard.",
  },
  sandbox_stopped: {
    title: "The sandbox is stopped",
    detail: "It serves {port} only while it is running.",
    hint:
      "Start the sandbox, then reload. It usually takes a few seconds to start.",
    buttonHint: "It usually takes a few seconds to start.",
  },
  sandbox_paused: {
    title: "The sandbox is paused",
    detail: "It serves {port} only while it is running.",
    hint:
      "Resume the sandbox, then reload. It usually takes a few seconds to resume.",
    buttonHint: "It usually takes a few seconds to resume.",
  },
  sandbox_archived: {
    title: "The sandbox is archived",
    detail:
      "Its files are in storage. It serves {port} only while it is running.",
    hint:
      "Start the sandbox, then reload. Its files are brought back first, which usually takes less than a minute, and longer if there are many.",
    buttonHint:
      "If you start it, its files are brought back first, which usually takes less than a minute, and longer if there are many.",
  },
  sandbox_starting: {
    title: "The sandbox is starting",
    detail: "It does not serve {port} yet.",
    hint: "Wait: it usually takes a few seconds to start.",
  },
  sandbox_resuming: {
    title: "The sandbox is resuming",
    detail: "It was paused, and does not serve {port} yet.",
    hint: "Wait: it usually takes a few seconds to resume.",
  },
  sandbox_restoring: {
    title: "The sandbox is being restored",
    detail:
      "It was archived: its files are brought back, and then it starts. It does not serve {port} yet.",
    hint:
      "Wait: it usually takes less than a minute, and longer if there are many files.",
  },
  sandbox_pulling: {
    title: "The sandbox is being set up",
    detail:
      "The image that it starts from is being built or fetched. It does not serve {port} yet.",
    hint:
      "Wait: it takes seconds to minutes, depending on the size of the image.",
  },
  sandbox_stopping: {
    title: "The sandbox is stopping",
    detail: "It does not serve {port} any more.",
    hint:
      "Wait a few seconds until it has stopped. Then it can be started again.",
  },
  sandbox_error: {
    title: "The sandbox has failed",
    detail: "Daytona could not run it, so it does not serve {port}.",
    hint:
      "Waiting does not help: its owner can see in Daytona's dashboard what happened, and may have to create it again.",
  },
  sandbox_recoverable: {
    title: "The sandbox has failed, but can be recovered",
    detail: "Daytona could not run it, so it does not serve {port}.",
    hint:
      "Its owner can recover it, in Daytona's dashboard or by its API. That usually takes a few seconds; then reload.",
    buttonHint: "It usually takes a few seconds to recover.",
  },
  sandbox_build_failed: {
    title: "The sandbox could not be built",
    detail:
      "Building the image that it starts from has failed, so it does not serve {port}.",
    hint:
      "Waiting does not help: its owner can read the build log, and create the sandbox again.",
  },
  runner_not_ready: {
    title: "The sandbox's machine is not ready yet",
    detail:
      "The machine that is to run the sandbox has not told Daytona yet how to reach it.",
    hint: "Try again in a few seconds.",
  },
  api_throttled: {
    title: "Daytona asks the gateway to wait",
    detail:
      "The gateway has sent the Daytona API too many requests, so it could not ask about this sandbox.",
    hint:
      "Try again in a few seconds. If that does not help, report the request ID to the gateway's operator.",
  },
  api_unreachable: {
    title: "The sandbox cannot be looked up",
    detail: "The gateway could not ask the Daytona API about this sandbox.",
    hint:
      "Try again in a few seconds. If that does not help, report the request ID to the gateway's operator.",
  },
  overloaded: {
    title: "The gateway is busy",
    detail: "It has reached its limit of concurrent requests.",
    hint: "Try again in a few seconds.",
  },
  client_overloaded: {
    title: "Too much at once from your address",
    detail: "Too many requests or WebSockets from your address are under way.",
    hint: "Close what you do not need, and try again in a few seconds.",
  },
  sandbox_overloaded: {
    title: "The sandbox is busy",
    detail: "It has reached its limit of concurrent requests.",
    hint: "Try again in a few seconds.",
  },
  pages_overloaded: {
    title: "The gateway's own pages are busy",
    detail:
      "Too many requests for them are under way, from your address or in all.",
    hint: "Try again in a few seconds.",
  },
  too_many_tunnels: {
    title: "Too many open WebSockets",
    detail: "The gateway has reached its limit of open WebSockets.",
    hint: "Try again in a few seconds.",
  },
  duplex_unavailable: {
    title: "The response cannot be streamed yet",
    detail:
      "The app began its response before the request was complete, and the gateway cannot pass on such a response now.",
    hint: "Send the whole request before you read the response.",
  },
  chunks_too_small: {
    title: "The upload comes in pieces that are too small",
    detail:
      "It is sent in chunks of a few bytes, faster than the gateway can take them apart.",
    hint: "Send it with a Content-Length, or in chunks of at least 1 KiB.",
  },
  buffers_full: {
    title: "The gateway is short of memory",
    detail:
      "It has reached its limit of what it buffers, and this request needs most of it.",
    hint: "Try again in a few seconds.",
  },
  shutting_down: {
    title: "The gateway is restarting",
    detail: "It does not accept new requests right now.",
    hint: "Try again in a few seconds.",
  },
  runner_timeout: {
    title: "The app took too long to respond",
    detail:
      "What runs on {port} of the sandbox did not start its response in time.",
    hint: "Check what the app is doing, or try again.",
  },
};
