/** Waits for a gateway to learn what it needs: its domains and identity provider, which the API tells it of. */
import { send } from "./send.ts";

/** Far longer than a gateway takes, which asks a failing API again after 5 s, ms. */
const TIMEOUT_MS = 20_000;

/**
 * Polls `/ready` on a port of 127.0.0.1 until its status is `wanted`. It asks the API itself, so this does not spin.
 *
 * @throws {Error} with the last answer, if that takes longer than 20 s.
 */
export async function untilReady(
  port: number,
  wanted: "ready" | "degraded" = "ready",
): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const { body } = await send("127.0.0.1", { port, path: "/ready" });
    if (JSON.parse(body).status === wanted) return;
    if (performance.now() > deadline) {
      throw new Error(`Not ${wanted} after ${TIMEOUT_MS} ms: ${body}`);
    }
  }
}
