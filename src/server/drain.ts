/** What a graceful shutdown waits for, and what becomes of the exchanges that last longer. */
import type { DurableStore } from "../cache/store.ts";
import type { Config } from "../config/config.ts";
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

interface DrainParts {
  readonly inFlight: InFlight;
  readonly ownRequests: InFlight;
  readonly upstream: Pick<UpstreamClient, "close">;
  /** Tells how many gateways there are. */
  readonly store: Pick<DurableStore, "announce"> | null;
  readonly dispatch: { refuseNew(): void };
  /** Ends all waits. */
  readonly closing: AbortSignal;
}

/** Creates the steps of a graceful shutdown. */
export function createDrain(
  { listen: { tls, reusePort } }: Pick<Config, "listen">,
  { inFlight, ownRequests, upstream, store, dispatch, closing }: DrainParts,
): Pick<GatewayService, "refuseNew" | "waitUntilPortIdle" | "drain"> {
  async function portIdle(): Promise<void> {
    await Promise.all([inFlight.drained(), ownRequests.drained()]);
    do {
      await inFlight.noTunnels();
      // A client whose exchange has just ended may be sending its next request on the same connection.
      await sleep(LAST_REQUEST_MS, closing).catch(() => {});
    } while (inFlight.tunnelCount > 0 && !closing.aborted);
  }

  return {
    async refuseNew() {
      // Over TLS, the port is closed. Of a shared port, the kernel would still give us a part of the connections.
      if (tls || reusePort) return;
      // Unless others are known to be there, nobody may answer instead.
      if (!(Number(await store?.announce("")) > 1)) return;
      dispatch.refuseNew();
      inFlight.refuseQueued();
    },
    waitUntilPortIdle: (timeoutMs) =>
      fulfilsWithin(portIdle(), timeoutMs, closing),
    async drain(timeoutMs, spreadMs, closePort) {
      const idle = Promise.all([inFlight.idle(), ownRequests.idle()]);
      if (await fulfilsWithin(idle, timeoutMs, closing)) return true;
      inFlight.refuseQueued(); // before places are given back
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
