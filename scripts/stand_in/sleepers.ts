/** Sandboxes that do not run, each for another reason; a gateway may wake some of them. */
import type { ApiSandbox } from "./api_state.ts";

const NO_SPACE = "failed to start container: no space left on device";

/** What is special about each, by id; all of them are private. */
export const SLEEPERS: Readonly<Record<string, Partial<ApiSandbox>>> = {
  /** Starts in a few seconds. */
  asleep: { state: "stopped" },
  /** Has no runner; is restored first. */
  archived: { state: "archived" },
  /** Cannot be started, which shows after a few seconds. */
  failing: { state: "stopped", startFailure: NO_SPACE },
  /** Failed before; has to be recovered instead of started. */
  recoverable: { state: "error", errorReason: NO_SPACE, recoverable: true },
  /** Failed before, for good. */
  broken: { state: "error", errorReason: NO_SPACE, recoverable: false },
  /** Cannot be resumed. */
  paused: { state: "paused" },
};
