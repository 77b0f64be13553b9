/** What becomes true without telling so, such as what another process has heard: it is asked again and again. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { realNow } from "./fake_clock.ts";

/** Far longer than anything takes on a busy machine, ms. */
const TIMEOUT_MS = 30_000;

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
  const deadline = realNow() + timeoutMs;
  while (!await isSo()) {
    assert(realNow() < deadline, `still not so: ${what}`);
    await turn();
  }
}
