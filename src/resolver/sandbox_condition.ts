/** What a sandbox's states mean to somebody who waits for it. Read both: one that is archived may be on its way back. */
import type { ErrorCode } from "../errors.ts";

/** The facts by which the API tells what a sandbox does. */
export interface SandboxState {
  /** Such as `stopped`; openapi/daytona.yaml lists the known ones. */
  readonly state: string;
  /** The state that the API is about to bring it to. */
  readonly desiredState: string | null;
  /** True if it can be recovered from the state `error`. */
  readonly recoverable: boolean;
  /** In the runner's own words, which are for members of the organization only. */
  readonly errorReason: string | null;
  /** Whose it is. */
  readonly organizationId: string | null;
}

/** Why nothing serves a sandbox's ports. */
export interface Condition {
  readonly code: ErrorCode;
  /** Seconds until another look is worth it; undefined if that would never help. */
  readonly retryAfterSec: number | undefined;
}

const CONDITIONS = {
  starting: { code: "sandbox_starting", retryAfterSec: 2 },
  resuming: { code: "sandbox_resuming", retryAfterSec: 2 },
  restoring: { code: "sandbox_restoring", retryAfterSec: 5 },
  pulling: { code: "sandbox_pulling", retryAfterSec: 10 },
  stopping: { code: "sandbox_stopping", retryAfterSec: 2 },
  stopped: { code: "sandbox_stopped", retryAfterSec: 2 },
  paused: { code: "sandbox_paused", retryAfterSec: 2 },
  archived: { code: "sandbox_archived", retryAfterSec: 10 },
  error: { code: "sandbox_error", retryAfterSec: 30 },
  recoverable: { code: "sandbox_recoverable", retryAfterSec: 30 },
  buildFailed: { code: "sandbox_build_failed", retryAfterSec: 30 },
  destroying: { code: "sandbox_destroying", retryAfterSec: undefined },
  destroyed: { code: "sandbox_not_found", retryAfterSec: undefined },
} as const satisfies Record<string, Condition>;

/** By state, where the desired state says nothing else. */
const AT_REST: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ["creating", CONDITIONS.starting],
  ["starting", CONDITIONS.starting],
  ["resuming", CONDITIONS.resuming],
  ["restoring", CONDITIONS.restoring],
  ["pending_build", CONDITIONS.pulling],
  ["building_snapshot", CONDITIONS.pulling],
  ["pulling_snapshot", CONDITIONS.pulling],
  ["stopping", CONDITIONS.stopping],
  ["pausing", CONDITIONS.stopping],
  ["stopped", CONDITIONS.stopped],
  // It is stopped, and can be started: what is saved of it until then is not lost.
  ["archiving", CONDITIONS.stopped],
  ["paused", CONDITIONS.paused],
  ["archived", CONDITIONS.archived],
  ["build_failed", CONDITIONS.buildFailed],
  ["destroying", CONDITIONS.destroying],
  ["destroyed", CONDITIONS.destroyed],
]);

/** By state, for a sandbox that is to be started: the API has noted that, and has yet to begin. */
const ABOUT_TO_START: ReadonlyMap<string, Condition> = new Map<
  string,
  Condition
>([
  ["stopped", CONDITIONS.starting],
  ["archiving", CONDITIONS.starting],
  ["paused", CONDITIONS.resuming],
  ["archived", CONDITIONS.restoring],
]);

/**
 * Why nothing serves the ports of a sandbox; undefined if its states do not say: it is `started`, as far as the API knows,
 * or in a state that nobody had heard of.
 *
 * @example
 * ```ts
 * conditionOf({ state: "archived", desiredState: "started", recoverable: false }); // { code: "sandbox_restoring", … }
 * ```
 */
export function conditionOf(
  { state, desiredState, recoverable }: Pick<
    SandboxState,
    "state" | "desiredState" | "recoverable"
  >,
): Condition | undefined {
  if (state === "destroyed") return CONDITIONS.destroyed;
  if (desiredState === "destroyed") return CONDITIONS.destroying;
  if (state === "error") {
    return recoverable ? CONDITIONS.recoverable : CONDITIONS.error;
  }
  if (state === "started") {
    const isWanted = desiredState === null || desiredState === "started";
    return isWanted ? undefined : CONDITIONS.stopping;
  }
  const waking = desiredState === "started"
    ? ABOUT_TO_START.get(state)
    : undefined;
  return waking ?? AT_REST.get(state);
}
