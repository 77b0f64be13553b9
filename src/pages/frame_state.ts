/** The state of a preview as pages around its frame are told of it. */
import { type ErrorCode, ERRORS } from "../error_codes.ts";

/** What a frame of a preview shows: the app where it is `ready`, and a page of ours otherwise. */
export type FrameState =
  | "starting"
  | "waiting"
  | "ready"
  | "refused"
  | "stopped"
  | "ended";

/** The states that no facts of a code tell. */
const STATES: Readonly<Partial<Record<ErrorCode, FrameState>>> = {
  grant_invalid: "ended",
  sandbox_not_found: "ended",
  sandbox_deleted: "ended",
  sandbox_evicted: "ended",
  sandbox_not_placed: "ended",
  sandbox_destroying: "ended",
  sandbox_stopped: "stopped",
  sandbox_paused: "stopped",
  sandbox_archived: "stopped",
  sandbox_error: "stopped",
  sandbox_recoverable: "stopped",
  sandbox_build_failed: "stopped",
  start_refused: "stopped",
};

/** The state that an error means; null if there is none. */
export function frameState(code: ErrorCode | null): FrameState {
  if (code === null) return "ready";
  const { stage, passes } = ERRORS[code];
  return STATES[code] ??
    (stage === "starting"
      ? stage
      : passes === "by_itself"
      ? "waiting"
      : "refused");
}

/** What a page is told; what is not known is left out. */
export interface StateMessage {
  readonly source: "porthole";
  readonly v: 1;
  readonly type: "state";
  readonly state: FrameState;
  readonly code: ErrorCode | null;
  readonly port?: number | undefined;
  readonly retryAfterSec?: number | undefined;
}

/** The message about a preview that answers with an error, or with none. */
export function stateMessage(
  { code, port, retryAfterSec }: Pick<
    StateMessage,
    "code" | "port" | "retryAfterSec"
  >,
): StateMessage {
  const state = frameState(code);
  const type = "state";
  return { source: "porthole", v: 1, type, state, code, port, retryAfterSec };
}
