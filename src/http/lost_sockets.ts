/**
 * Bounds what a defect of `Deno.serve()` can cost (Deno 2.9.6, HTTP/1.1): while a response is streamed, only its writer
 * is told that the client has left. A read of the request's body that is pending when the response breaks off is not
 * woken, and as it holds the connection, nobody closes the socket. Such a read can be neither avoided nor withdrawn: an
 * app may begin its response, and a client may send more, at any time.
 */
import type { ExchangeEnd } from "../observability/metrics/facts.ts";
import type { WatchedUpload } from "./watched_upload.ts";

/** Counts the sockets that were lost, up to where no more are risked. */
export interface LostSockets {
  readonly count: number;
  /** Whether there are so many that no response may be streamed any more while its request is still open. */
  readonly isEnough: boolean;
  /** Notes how a streamed response has ended, and how far its upload was. */
  note(end: ExchangeEnd, upload: WatchedUpload | undefined): void;
}

/** How many sockets may be lost. */
const MAX_LOST = 100;

/** Creates the counter; `onEnough` is called once. */
export function createLostSockets(onEnough: () => void): LostSockets {
  let count = 0;
  return {
    get count() {
      return count;
    },
    get isEnough() {
      return count >= MAX_LOST;
    },
    note(end, upload) {
      if (end === "complete" || upload?.isReading !== true) return;
      if (++count === MAX_LOST) onEnough();
    },
  };
}
