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

/** The state that an error means; null if there is none. */
export function frameState(code: ErrorCode | null): FrameState {
  if (code === null) return "ready";
  const { frame, stage, passes } = ERRORS[code];
  return frame ??
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
