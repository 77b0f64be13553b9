import type { ErrorCode } from "../../src/errors.ts";

/** What docs/errors.md tells operators of a code besides the texts that visitors read, in Markdown. */
export const ERROR_NOTES: Readonly<Partial<Record<ErrorCode, string>>> = {
  login_failed: "The log has the provider's reason.",
  session_not_kept: "[Causes](operate.md#symptoms).",
  frame_refused:
    "[Why](features/handover.md#previews-in-frames): the document's `cause` is `not_listed`, `no_referer`, `cookie_not_kept`, `login_needed` or `no_session`.",
  signed_url_invalid:
    "It expired or was changed, is for another method, or its key was rotated or is newer than 15 s.",
  feature_off:
    "The option of that route is `off`, or it has nowhere to keep records.",
  sandbox_deleted:
    "Only members are told; `code` is Daytona's `SANDBOX_DESTROYED`.",
  sandbox_evicted: "A spot sandbox; members only.",
  sandbox_not_placed: "Its queue timed out; members only.",
  no_access: "The next login asks for an account. Check `OIDC_AUDIENCE`.",
  port_not_served:
    "`TOOLBOX_ONLY_MODE`, or a toolbox or build log with `DAYTONA_API_KEY`.",
  unknown_domain:
    "Nor is it one of the API's; or the front changed the Host header.",
  upload_stalled:
    "`BODY_IDLE_TIMEOUT_SEC`: its client stopped, or the app did not take it. The gateway's own forms have 10 s.",
  form_too_long: "10 to 100 kB, or what an option's page says.",
  target_too_long: "`MAX_TARGET_BYTES`.",
  head_too_large:
    "`MAX_HEADER_BYTES`, `MAX_HEADER_FIELDS`; [mostly cookies](operate.md#too-many-cookies).",
  too_many_refusals: "`REFUSALS_PER_MINUTE`: [why](operate.md#symptoms).",
  too_many_lookups: "`MAX_LOOKUPS_PER_CLIENT`: [why](operate.md#symptoms).",
  client_overloaded:
    "`MAX_EXCHANGES_PER_CLIENT`, after up to 10 s (a tenth of it for uploads without Content-Length; 50 forms and other bodies for our own pages), `MAX_TUNNELS_PER_CLIENT`, four of either [while memory is short](operate.md#memory), or a WebSocket within 10 s of a flood.",
  internal: "A bug: report the `stack` in the log.",
  runner_refused:
    "The runner does not accept the API's key for it; with `DAYTONA_API_KEY`, Daytona's proxy the sandbox's token.",
  app_refused_websocket:
    "[Origins that apps refuse](operate.md#origins-that-apps-refuse).",
  sandbox_stopped: "`stopped` or `archiving`.",
  sandbox_starting:
    "`starting`, `creating`, about to start, or not on its runner yet.",
  sandbox_resuming: "`resuming`, or paused and about to resume.",
  sandbox_restoring: "`restoring`, or archived and about to start.",
  sandbox_pulling: "`pulling_snapshot`, `pending_build`, `building_snapshot`.",
  sandbox_stopping: "`stopping`, `pausing`, or about to stop.",
  sandbox_error: "Members read `errorReason`.",
  api_unreachable: "It failed, or took longer than `API_CLIENT_TIMEOUT_SEC`.",
  sandbox_not_shown:
    "403 or 404 from `GET /sandbox/{id}`, though there is a runner: a key that lost the right, or a sandbox that has moved. [How long labels count](security.md#what-operators-allow).",
  api_throttled:
    "Often somebody behind the same address tries wrong keys. [Limits](run/hosted.md#limits).",
  session_unavailable:
    "`CACHE_URL` did not answer, or came back less than 10 s ago.",
  records_unavailable:
    "[`RECORDS_URL`](operate.md#records) did not answer, or what it has cannot be read.",
  overloaded: "`MAX_CONCURRENT_EXCHANGES`, or no file descriptors are left.",
  sandbox_overloaded:
    "`MAX_EXCHANGES_PER_SANDBOX`, an eighth of `MAX_TUNNELS`, or a quarter of `MAX_WAITING_PER_RUNNER` waited for [a response to begin](operate.md#one-slow-app-one-runner-that-hangs).",
  organization_overloaded:
    "`MAX_EXCHANGES_PER_ORGANIZATION` requests, or as many open WebSockets.",
  runner_overloaded:
    "[`MAX_WAITING_PER_RUNNER`](operate.md#one-slow-app-one-runner-that-hangs).",
  runner_unresponsive:
    "[A runner that answers nobody](operate.md#a-runner-that-answers-nobody); the log and the status page name it.",
  pages_overloaded:
    "1,000 at once in all, 100 from one address; forms and other bodies: a quarter of `MAX_CONCURRENT_EXCHANGES` in all; answers that clients of HTTP/2 have yet to take: [what the budget has room for](operate.md#memory). They have a quarter of a processor, and wait for it 10 s at most; not `/health` and `/ready`.",
  too_many_tunnels: "`MAX_TUNNELS`, for more than half a second.",
  duplex_unavailable:
    "[Sockets that Deno loses](architecture.md#limits-of-the-platform).",
  chunks_too_small:
    "[Why](architecture.md#limits-of-the-platform): hundreds of chunks of up to 18 bytes at once.",
  buffers_full: "[`BUFFER_BUDGET_BYTES`](operate.md#memory).",
  runner_timeout:
    "`UPSTREAM_CONNECT_TIMEOUT_SEC` or `UPSTREAM_HEADER_TIMEOUT_SEC`.",
  container_not_found: "It is being moved, archived or deleted.",
  credential_invalid:
    "It is wrong or expired, or the sandbox was restarted; or `TOOLBOX_TAKES_PREVIEW_TOKEN` is false.",
  login_expired:
    "It is older than 10 minutes, complete, or was begun in another browser.",
  login_unavailable: "The provider does not answer, or is not known yet.",
  sandbox_not_found: "Or you have no access to it.",
  runner_unreachable:
    "Connections are refused or dropped, or Daytona's proxy failed.",
  runner_not_ready: "The runner has not told the API its address yet.",
  toolbox_unreachable: "The daemon in the sandbox does not answer.",
};
