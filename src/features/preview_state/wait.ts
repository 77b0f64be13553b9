/** Requests that wait until a preview is ready. One ends with its time, its client, its access or the gateway. */
import { UPLOAD_ERRORS } from "../../downstream/ends.ts";
import { ERRORS } from "../../error_codes.ts";
import { GatewayError } from "../../errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { Look } from "../../gateway/preview_looks.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { StreamError } from "../../stream/stream_error.ts";

interface WaitOptions {
  readonly look: () => Promise<Look>;
  /** When the wait is over at the latest, ms since the epoch. */
  readonly until: number;
  readonly now: () => number;
  /** Aborted when nobody is to wait any more. */
  readonly draining: AbortSignal;
}

/**
 * The first look that shows a preview that is ready, or never will be; the latest one when the time is over.
 * @throws {GatewayError} if the caller loses access, or the gateway is closing
 * @throws {StreamError} if the client has disconnected
 */
export async function waitUntilReady(
  x: Pick<Exchange, "received" | "lasts">,
  { look, until, now, draining }: WaitOptions,
): Promise<Look> {
  const { signal } = x.received.request;
  const { promise: cutOff, reject } = Promise.withResolvers<never>();
  const leave = () => reject(new StreamError("aborted", "Client has left"));
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave);
  x.lasts({
    abort: (reason) =>
      reject(new GatewayError(UPLOAD_ERRORS[reason], "Ended while waiting")),
  });
  try {
    for (;;) {
      const seen = await Promise.race([cutOff, look()]);
      const leftMs = until - now();
      if (isOver(seen) || leftMs <= 0 || draining.aborted) return seen;
      const pauseMs = Math.min(leftMs, seen.nextAt - now());
      await fulfilsWithin(cutOff, pauseMs, draining);
    }
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

function isOver({ code }: Look): boolean {
  return code === null || ERRORS[code].passes === "never";
}
