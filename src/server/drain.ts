/** What a graceful shutdown waits for, and what becomes of the exchanges that last longer. */
import { sleep } from "../lib/backoff.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { GatewayService } from "./run.ts";

/** The time that a client may take to send its next request after a response that did not say `Connection: close`, ms. */
const LAST_REQUEST_MS = 100;

/** The time that the last WebSockets have to close, and then the last requests to end, ms. */
const LAST_MS = 500;

/** The time that an aborted exchange may take to end, ms. */
const ABORT_GRACE_MS = 1_000;

/** Creates the two waits of a graceful shutdown; aborting `closing` ends both. */
export function createDrain(
  { inFlight, ownRequests, upstream }: {
    readonly inFlight: InFlight;
    readonly ownRequests: InFlight;
    readonly upstream: Pick<UpstreamClient, "close">;
  },
  closing: AbortSignal,
): Pick<GatewayService, "waitUntilPortIdle" | "drain"> {
  async function portIdle(): Promise<void> {
    await Promise.all([inFlight.drained(), ownRequests.drained()]);
    do {
      await inFlight.noTunnels();
      // A client whose exchange has just ended may be sending its next request on the same connection.
      await sleep(LAST_REQUEST_MS, closing).catch(() => {});
    } while (inFlight.tunnelCount > 0 && !closing.aborted);
  }

  return {
    waitUntilPortIdle: (timeoutMs) =>
      fulfilsWithin(portIdle(), timeoutMs, closing),
    async drain(timeoutMs, spreadMs, closePort) {
      const idle = Promise.all([inFlight.idle(), ownRequests.idle()]);
      if (await fulfilsWithin(idle, timeoutMs, closing)) return true;
      await inFlight.abortWithin(spreadMs, closing);
      // What has begun since, as the port was open for WebSockets: a POST that nobody may send twice ends in time.
      inFlight.abortTunnels();
      await fulfilsWithin(inFlight.noTunnels(), LAST_MS, closing);
      const last = Promise.all([closePort?.(), inFlight.idle()]);
      await fulfilsWithin(last, LAST_MS, closing);
      inFlight.abortAll();
      await fulfilsWithin(inFlight.idle(), ABORT_GRACE_MS, closing);
      // Requests that still wait for their app are answered `shutting_down`.
      upstream.close();
      return false;
    },
  };
}
