/** What becomes true without telling so, such as what another process has heard: it is asked again and again. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";

/** Far longer than anything takes on a busy machine, ms. */
const TIMEOUT_MS = 30_000;

/** The real time, also while `fakeClock()` has stopped it. */
const now = performance.now.bind(performance);

/**
 * Waits until something is so.
 *
 * @throws {AssertionError} if it takes longer than `timeoutMs` ms.
 */
export async function assertEventually(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = now() + timeoutMs;
  while (!await isSo()) {
    assert(now() < deadline, `still not so: ${what}`);
    await turn();
  }
}
