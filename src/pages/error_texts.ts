/** The texts that people read about each error: the event, and their remedy. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import type { ErrorAdvice, ErrorCode, FrameCause } from "../errors.ts";

/** The public text of one error code, which tells of the request its port, and nothing of the machines behind. */
export interface ErrorText {
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  /** In place of the hint beside a button that does what it says. */
  readonly buttonHint?: string;
  /** What the link to another attempt says, where it leads to the login. */
  readonly retry?: string;
}

/** What is known of an error besides its code. */
interface ErrorContext {
  readonly port?: number | undefined;
  readonly domain?: string | undefined;
  readonly advice?: Pick<ErrorAdvice, "frameCause" | "ancestors">;
}

/** The text of a code, about a port of a sandbox and below a base domain where these are known. */
export function errorText(
  code: ErrorCode,
  context: ErrorContext = {},
): ErrorText {
  const { port, domain = "preview.example.com" } = context;
  const special = specialText(code, context);
  const { detail, hint, ...text } = { ...ERROR_TEXTS[code], ...special };
  const name = port === undefined
    ? "this port"
    : port === TOOLBOX_PORT
    ? "the toolbox"
    : `port ${port}`;
  return {
    ...text,
    detail: detail.replace("{port}", name),
    hint: hint.replace("{domain}", () => domain),
  };
}

/** What is said of one case of an error in place of what its code says of all. */
export function specialText(
  code: ErrorCode,
  { port, advice: { frameCause, ancestors } = {} }: ErrorContext,
): Pick<ErrorText, "detail" | "hint"> & Partial<ErrorText> | undefined {
  if (code === "login_required" && port === TOOLBOX_PORT) {
    return TOOLBOX_PRIVATE;
  }
  if (code === "grant_invalid" && ancestors?.length) return FRAME_ENDED;
  if (code !== "frame_refused" || frameCause === undefined) return undefined;
  return FRAME_CAUSES[frameCause];
}

function text(
  title: string,
  detail: string,
  hint = "Try again in a few seconds.",
  more: Pick<ErrorText, "buttonHint" | "retry"> = {},
): ErrorText {
  return { title, detail, hint, ...more };
}

/** That of `login_required` for a toolbox, which is private even where the previews of its sandbox are public. */
const TOOLBOX_PRIVATE = text(
  "The toolbox is private",
  "This port is the sandbox's toolbox, which runs commands. It takes a credential even where the sandbox is public.",
  "Send a preview token in the X-Daytona-Preview-Token header, or an API key as Authorization: Bearer. An app has another port.",
);

/** That of `grant_invalid` in a frame that its grant has opened. */
const FRAME_ENDED = text(
  "This preview has ended",
  "The page around it may show it no longer.",
  "Load that page again.",
);

/** What is said of `frame_refused` where its cause is known. */
const FRAME_CAUSES: Readonly<
  Record<FrameCause, Pick<ErrorText, "detail" | "hint">>
> = {
  not_listed: {
    detail: "It is private, and the page around it may not use your session.",
    hint:
      "Open the preview in a tab of its own. A page may frame it if it is on another port of the same sandbox, in the gateway's ALLOWED_ORIGINS, or named by an embed.",
  },
  no_referer: {
    detail:
      "It is private, and the page around it does not say which one it is.",
    hint:
      'Open the preview in a tab of its own. The page around it has to send its origin: give the frame referrerpolicy="strict-origin".',
  },
  cookie_not_kept: {
    detail:
      "It was opened, but your browser did not keep the session's cookie.",
    hint:
      "Open the preview in a tab of its own, or allow cookies of other sites. In their frames, browsers keep a cookie over https only, and if it is made for that: by COOKIE_SAMESITE=none, or by porthole_cookie=none in the link.",
  },
  login_needed: {
    detail:
      "It is private. Your browser sent no login, and in a frame none begins.",
    hint:
      "Open the preview in a tab of its own, and log in there. The page around it can use a link with a token, which needs no login.",
  },
  no_session: {
    detail: "It is private, and your browser sent no session that opens it.",
    hint:
      "Open the preview in a tab of its own, if you have opened it there before. The page around it can use a link with a token, or a signed link.",
  },
};

/** The texts of all codes; `{port}` in a detail stands for the port, `{domain}` in a hint for the base domain, `{host}` in a link for its host. */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  bad_host: text(
    "This address is not a preview",
    "The host name does not identify a port of a sandbox.",
    "A preview address looks like 3000-sandboxid.{domain}; the port is a number from 1 to 65535, without leading zeros.",
    { retry: "Open {host}" },
  ),
  bad_target: text(
    "This path cannot be forwarded",
    "The path is malformed, or contains dot segments that cannot be resolved safely.",
    "Remove “..” and its encoded forms from the path.",
  ),
  bad_request: text(
    "This request is not valid",
    "A parameter is missing or malformed.",
    "See /docs for what the gateway expects.",
  ),
  invalid_request: text(
    "This request is not valid",
    "A member or parameter is missing, unknown or malformed.",
    "“errors” says which.",
  ),
  bad_return_url: text(
    "There is nowhere to return to",
    "The address to return to after the login is not one of this gateway's previews.",
    "Open the preview's own address.",
  ),
  login_expired: text(
    "This login has expired",
    "It was started in another browser or too long ago, or it is already complete.",
    "Open the preview's address again.",
  ),
  login_failed: text(
    "The login failed",
    "The identity provider's response could not be accepted.",
    "Open the preview's address again. If that does not help, report the request ID to the gateway's operator.",
  ),
  session_not_kept: text(
    "Your browser did not keep the session",
    "You have just logged in, or opened a link with a token, but the preview was opened without the session cookie.",
    "Allow cookies for this site, then open the link or the preview's address again.",
    { retry: "Log in" },
  ),
  login_denied: text(
    "The login was declined",
    "The identity provider reports that the login was declined.",
    "To log in after all, open the preview's address again.",
  ),
  issuer_unavailable: text(
    "Your token cannot be checked right now",
    "The public keys of its issuer could not be fetched.",
  ),
  login_unavailable: text(
    "Logging in is not possible right now",
    "The identity provider is not responding, or is not known yet.",
  ),
  session_unavailable: text(
    "Your session cannot be looked up",
    "The session store could not be reached.",
  ),
  records_unavailable: text(
    "Access cannot be looked up",
    "The store of what members have granted could not be reached.",
  ),
  logout_incomplete: text(
    "You are not logged out yet",
    "The session store could not be reached.",
  ),
  cross_site_request: text(
    "This must be done on the gateway's own page",
    "The request was sent by a script, or by a page of another site.",
    "Open the page itself and use its button.",
  ),
  origin_refused: text(
    "This is for the gateway's own pages",
    "A page of another site sent the request.",
    "Programs send Authorization: Bearer.",
  ),
  webhook_refused: text(
    "This webhook is not signed with the gateway's secret",
    "The signature is missing or wrong, or the message was signed more than five minutes ago.",
    "Set WEBHOOK_SECRET to the signing secret of the endpoint in Daytona's dashboard.",
  ),
  too_many_refusals: text(
    "Too many failed attempts",
    "Too many requests from your address have failed within the last minute.",
    "Check the address and the token, and try again in a moment.",
  ),
  too_many_lookups: text(
    "Too many previews are being opened at once",
    "Your address is waiting for as many of Daytona's answers as it may. Daytona may be slow, or many people share your address.",
  ),
  user_throttled: text(
    "Daytona asks you to wait",
    "Your organization has sent it too many requests, or your address too many wrong keys.",
    "Try again once the time in the Retry-After header is over.",
  ),
  login_required: text(
    "This preview is private",
    "The request has no credential that opens it.",
    "Open it with a preview link that includes a token, or send the token in the X-Daytona-Preview-Token header, or an API key as Authorization: Bearer. After a redirect, send the cookie too (curl: -c and -b).",
  ),
  frame_refused: text(
    "This preview is not open in this frame",
    "It is private. Within another page, a login counts only if that page may use it, and none begins.",
    "Open the preview in a tab of its own.",
  ),
  credential_invalid: text(
    "This token or key does not give access",
    "It is wrong or has expired, or the sandbox was restarted, which replaces its preview token.",
    "Ask for a new preview link, or check the API key.",
    { retry: "Log in instead" },
  ),
  signed_token_invalid: text(
    "This preview link is not valid",
    "The link has expired, was revoked, or belongs to another port.",
    "Ask for a new signed link.",
  ),
  signed_url_invalid: text(
    "This signed URL is not valid",
    "It has expired or was changed, the sandbox's signing key was rotated, or it is for another method.",
    "Ask for a new URL, and use it exactly as it is: a download by GET, an upload by POST.",
  ),
  grant_invalid: text(
    "This token does not open this preview",
    "It is wrong, has expired or was revoked, or is for another sandbox, port or method.",
    "Ask whoever gave it to you for a new one.",
    { retry: "Log in instead" },
  ),
  prefetch_refused: text(
    "This link is for opening, not for looking ahead",
    "A browser or program asked for it before anybody has opened it, and its token may count once only.",
    "Open the link.",
  ),
  sandbox_not_found: text(
    "No such sandbox",
    "The sandbox does not exist, or you do not have access to it.",
    "Check the address. Deleted sandboxes do not come back.",
  ),
  sandbox_deleted: text(
    "The sandbox was deleted",
    "It was one of your organization's, and no longer exists.",
    "Deleted sandboxes do not come back: open another one.",
  ),
  sandbox_evicted: text(
    "The sandbox gave way to another",
    "It was a spot sandbox, which Daytona ends where room is needed.",
    "Open another one.",
  ),
  sandbox_not_placed: text(
    "The sandbox found no place",
    "Daytona ended it, since no machine was free for it in time.",
    "Open another one later.",
  ),
  no_access: text(
    "You have no access to this sandbox",
    "You are logged in, but with an account that may not see this sandbox, or the sandbox does not exist.",
    "Check the address, or log in with another account.",
    { retry: "Log in with another account" },
  ),
  container_not_found: text(
    "The sandbox is not on its machine",
    "The machine that should run the sandbox does not have it: it is being moved, archived or deleted.",
    "Start the sandbox or wait until it has started, then reload.",
  ),
  sandbox_destroying: text(
    "The sandbox is being deleted",
    "It no longer serves {port}.",
    "Deleted sandboxes do not come back: open another one.",
  ),
  build_log_not_found: text(
    "No such build log",
    "Nothing was built under this ID, its log is gone, or you do not have access to it.",
    "Check the ID and the API key.",
  ),
  port_not_served: text(
    "This is not served here",
    "This gateway serves only the previews of sandboxes, or only their toolboxes, and this is something else.",
    "Toolboxes and build logs of app.daytona.io are at Daytona's own addresses. Otherwise, ask the gateway's operator.",
  ),
  method_not_allowed: text(
    "This method is not forwarded",
    "TRACE would echo the gateway's own credentials.",
    "Use another method.",
  ),
  route_not_found: text(
    "Page not found",
    "The gateway has no such page.",
    "See /docs for the pages that it has.",
  ),
  not_found: text(
    "There is no such thing",
    "It does not exist, or the caller may not see it.",
    "Check the id, and whose API key or login this is.",
  ),
  unknown_domain: text(
    "This gateway does not serve this domain",
    "The address looks like a preview's, but its domain is not one of this gateway's.",
    "Check the address. The gateway's operator names its domains in PROXY_DOMAIN.",
  ),
  upload_stalled: text(
    "The upload stalled",
    "The rest of the request did not arrive in time.",
    "Check the connection and send the request again.",
  ),
  records_full: text(
    "There are too many of these",
    "The sandbox or its organization has as many as it may have.",
    "Delete some.",
  ),
  precondition_failed: text(
    "It has changed meanwhile",
    "It is not the version that If-Match names.",
    "Read it again.",
  ),
  form_too_long: text(
    "What was sent is too long",
    "The gateway's own pages and its API take short bodies only.",
    "Use the page's form, or keep to what the API's description says.",
  ),
  target_too_long: text(
    "This address is too long",
    "Its path and query are longer than the gateway allows.",
    "Send long values in the body of a POST request.",
  ),
  head_too_large: text(
    "The request's headers are too large",
    "There are more headers, or longer ones, than the gateway allows.",
    "Cookies are often the cause. If they are, your browser has just deleted those that were set for all previews: load the page again.",
  ),
  unsupported_media_type: text(
    "This is not JSON",
    "The request's Content-Type is not application/json.",
    "Send application/json.",
  ),
  upgrade_required: text(
    "This WebSocket version is not supported",
    "The request asks for a WebSocket, but not for version 13.",
    "Connect with a WebSocket client that supports RFC 6455.",
  ),
  internal: text(
    "Something went wrong in the gateway",
    "The gateway failed to handle this request.",
    "Try again. If that does not help, report the request ID to the gateway's operator.",
  ),
  feature_off: text(
    "This is switched off",
    "The gateway's operator has not switched this on.",
    "Ask the operator.",
  ),
  runner_unreachable: text(
    "The sandbox cannot be reached",
    "What leads to the sandbox does not respond, or fails.",
    "Try again in a moment.",
  ),
  runner_protocol_error: text(
    "The app sent an invalid response",
    "What came from {port} of the sandbox is not valid HTTP, so it was not passed on.",
    "Check what the app in the sandbox writes to its connection.",
  ),
  runner_refused: text(
    "The way to the sandbox is closed to the gateway",
    "What leads to the sandbox does not accept the gateway's credentials. That can take a few seconds after a start.",
    "Try again in a moment. If that does not help, report the request ID to the gateway's operator.",
  ),
  port_closed: text(
    "Nothing is listening on this port",
    "The sandbox is running, but no app answers on {port}.",
    "Start the app, or wait until it has started.",
  ),
  app_refused_websocket: text(
    "The app refused the WebSocket",
    "Something listens on {port} of the sandbox, but it ended the connection without a valid answer to the handshake.",
    "Check the app's log: many servers refuse origins and hosts that they do not know.",
  ),
  toolbox_unreachable: text(
    "The sandbox is not responding",
    "It is running, but the Daytona service inside it, which gives access to {port}, does not respond.",
    "Wait a moment. If that does not help, restart the sandbox.",
  ),
  start_expired: text(
    "This button has expired",
    "The page with it was opened too long ago, or by somebody else.",
    "Open the preview's address again, and press the button there.",
  ),
  start_not_allowed: text(
    "You may not start this sandbox",
    "Daytona does not let you start it, or it was deleted.",
    "Ask a member of the sandbox's organization to start it.",
  ),
  start_throttled: text(
    "There were too many starts",
    "This sandbox, you, or its organization at Daytona has used up what may be started for now.",
    "Try again later, within the hour at the latest, or start the sandbox in Daytona.",
  ),
  start_refused: text(
    "The sandbox cannot be started",
    "Daytona did not start it: a limit of its organization is reached, for example, or its runner failed.",
    "A member of its organization can find out why in Daytona’s dashboard.",
  ),
  sandbox_stopped: text(
    "The sandbox is stopped",
    "It serves {port} only while it is running.",
    "Start the sandbox, then reload. It usually takes a few seconds to start.",
    { buttonHint: "It usually takes a few seconds to start." },
  ),
  sandbox_paused: text(
    "The sandbox is paused",
    "It serves {port} only while it is running.",
    "Resume the sandbox, then reload. It usually takes a few seconds to resume.",
    { buttonHint: "It usually takes a few seconds to resume." },
  ),
  sandbox_archived: text(
    "The sandbox is archived",
    "Its files are in storage. It serves {port} only while it is running.",
    "Start the sandbox, then reload. Its files are brought back first, which usually takes less than a minute, and longer if there are many.",
    {
      buttonHint:
        "If you start it, its files are brought back first, which usually takes less than a minute, and longer if there are many.",
    },
  ),
  sandbox_starting: text(
    "The sandbox is starting",
    "It does not serve {port} yet.",
    "Wait: it usually takes a few seconds to start.",
  ),
  sandbox_resuming: text(
    "The sandbox is resuming",
    "It was paused, and does not serve {port} yet.",
    "Wait: it usually takes a few seconds to resume.",
  ),
  sandbox_restoring: text(
    "The sandbox is being restored",
    "It was archived: its files are brought back, and then it starts. It does not serve {port} yet.",
    "Wait: it usually takes less than a minute, and longer if there are many files.",
  ),
  sandbox_pulling: text(
    "The sandbox is being set up",
    "The image that it starts from is being built or fetched. It does not serve {port} yet.",
    "Wait: it takes seconds to minutes, depending on the size of the image.",
  ),
  sandbox_stopping: text(
    "The sandbox is stopping",
    "It does not serve {port} any more.",
    "Wait a few seconds until it has stopped. Then it can be started again.",
  ),
  sandbox_error: text(
    "The sandbox has failed",
    "Daytona could not run it, so it does not serve {port}.",
    "Waiting does not help: its owner can see in Daytona's dashboard what happened, and may have to create it again.",
  ),
  sandbox_recoverable: text(
    "The sandbox has failed, but can be recovered",
    "Daytona could not run it, so it does not serve {port}.",
    "Its owner can recover it, in Daytona's dashboard or by its API. That usually takes a few seconds; then reload.",
    { buttonHint: "It usually takes a few seconds to recover." },
  ),
  sandbox_build_failed: text(
    "The sandbox could not be built",
    "Building the image that it starts from has failed, so it does not serve {port}.",
    "Waiting does not help: its owner can read the build log, and create the sandbox again.",
  ),
  runner_not_ready: text(
    "The sandbox's machine is not ready yet",
    "The machine that is to run the sandbox has not told Daytona yet how to reach it.",
  ),
  api_throttled: text(
    "Daytona asks the gateway to wait",
    "The gateway has sent the Daytona API too many requests, so it could not ask about this sandbox.",
    "Try again in a few seconds. If that does not help, report the request ID to the gateway's operator.",
  ),
  api_unreachable: text(
    "The sandbox cannot be looked up",
    "The gateway could not ask the Daytona API about this sandbox.",
    "Try again in a few seconds. If that does not help, report the request ID to the gateway's operator.",
  ),
  overloaded: text(
    "The gateway is busy",
    "It has reached its limit of concurrent requests.",
  ),
  client_overloaded: text(
    "Too much at once from your address",
    "Too many requests or WebSockets from your address are under way.",
    "Close what you do not need, and try again in a few seconds.",
  ),
  sandbox_overloaded: text(
    "The sandbox is busy",
    "It has reached its limit of concurrent requests.",
  ),
  runner_overloaded: text(
    "The sandbox's machine is busy",
    "Too many requests wait for the machine that runs the sandbox.",
  ),
  runner_unresponsive: text(
    "The sandbox's machine does not answer",
    "The machine that runs the sandbox has answered nobody for a while. The gateway asks it again every few seconds.",
    "Wait a moment. If that does not help, report the request ID to the gateway's operator.",
  ),
  pages_overloaded: text(
    "The gateway's own pages are busy",
    "Too many requests for them are under way, from your address or in all.",
  ),
  too_many_tunnels: text(
    "Too many open WebSockets",
    "The gateway has reached its limit of open WebSockets.",
  ),
  duplex_unavailable: text(
    "The response cannot be streamed yet",
    "The app began its response before the request was complete, and the gateway cannot pass on such a response now.",
    "Send the whole request before you read the response.",
  ),
  chunks_too_small: text(
    "The upload comes in pieces that are too small",
    "It is sent in chunks of a few bytes, faster than the gateway can take them apart.",
    "Send it with a Content-Length, or in chunks of at least 1 KiB.",
  ),
  buffers_full: text(
    "The gateway is short of memory",
    "It has reached its limit of what it buffers, and this request needs most of it.",
  ),
  shutting_down: text(
    "The gateway is restarting",
    "It does not accept new requests right now.",
  ),
  runner_timeout: text(
    "The app took too long to respond",
    "What runs on {port} of the sandbox did not start its response in time.",
    "Check what the app is doing, or try again.",
  ),
};
