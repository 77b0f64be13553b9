/** Waits for a gateway to learn what it needs: its domains and identity provider, which the API tells it of. */
import { rawStream, readResponse } from "./raw_client.ts";

/** Far longer than a gateway takes, which asks a failing API again after 5 s, ms. */
const TIMEOUT_MS = 20_000;

const REQUEST =
  "GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";

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
    using stream = rawStream(
      await Deno.connect({ hostname: "127.0.0.1", port }),
    );
    await stream.write(REQUEST);
    const { body } = await readResponse(stream);
    if (JSON.parse(body).status === wanted) return;
    if (performance.now() > deadline) {
      throw new Error(`Not ${wanted} after ${TIMEOUT_MS} ms: ${body}`);
    }
  }
}
