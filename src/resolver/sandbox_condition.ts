/** What a sandbox's states mean to somebody who waits for it. Read both: one that is archived may be on its way back. */
import type { Sandbox } from "../daytona/api.ts";
import { type ErrorCode, ERRORS } from "../error_codes.ts";

/** The facts by which the API tells what a sandbox does. */
export interface SandboxState extends
  Pick<
    Sandbox,
    "desiredState" | "recoverable" | "errorReason" | "organizationId" | "ended"
  > {
  readonly state: string;
}

/** By state, where the desired state says nothing else. */
const AT_REST: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["creating", "sandbox_starting"],
  ["starting", "sandbox_starting"],
  ["resuming", "sandbox_resuming"],
  ["restoring", "sandbox_restoring"],
  ["pending_build", "sandbox_pulling"],
  ["building_snapshot", "sandbox_pulling"],
  ["pulling_snapshot", "sandbox_pulling"],
  ["stopping", "sandbox_stopping"],
  ["pausing", "sandbox_stopping"],
  ["stopped", "sandbox_stopped"],
  // It is stopped, and can be started: what is saved of it until then is not lost.
  ["archiving", "sandbox_stopped"],
  ["paused", "sandbox_paused"],
  ["archived", "sandbox_archived"],
  ["build_failed", "sandbox_build_failed"],
  ["destroying", "sandbox_destroying"],
  ["destroyed", "sandbox_not_found"],
]);

/**
 * The code that says why nothing serves the ports of a sandbox; undefined if its states do not say: as far as the API
 * knows, it is `started`, or it is in a state that nobody had heard of.
 */
export function conditionOf(
  told: Pick<SandboxState, "state" | "desiredState" | "recoverable">,
): ErrorCode | undefined {
  const { state, desiredState, recoverable } = told;
  if (state === "destroyed") return "sandbox_not_found";
  if (desiredState === "destroyed") return "sandbox_destroying";
  if (state === "error") {
    return recoverable ? "sandbox_recoverable" : "sandbox_error";
  }
  if (state === "started") {
    return (desiredState ?? "started") === "started"
      ? undefined
      : "sandbox_stopping";
  }
  const code = AT_REST.get(state);
  if (code === undefined || desiredState !== "started") return code;
  // The API has noted that it is to start, and may have yet to begin.
  return ERRORS[code].start?.next ?? code;
}

/**
 * What to do to have a sandbox running: nothing (`not_needed`), a call of the API (`start`, `recover`), to wait
 * (`under_way`), to look again once it has changed (`changing`), or to give up (`failed`).
 */
export function prospectOf(told: SandboxState): string {
  const code = conditionOf(told);
  if (code === undefined) {
    return told.state === "started" ? "not_needed" : "changing";
  }
  const { start, stage, passes } = ERRORS[code];
  if (start !== undefined) return start.means;
  if (stage === "starting") return "under_way";
  return passes === "by_itself" ? "changing" : "failed";
}
