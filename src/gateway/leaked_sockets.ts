/**
 * Bounds what a defect of `Deno.serve()` can cost (Deno 2.9.6, HTTP/1.1): while a response is streamed, only its writer
 * is told that the client has left. A read of the request's body that is pending when the response breaks off is not
 * woken, and as it holds the connection, nobody closes the socket. Such a read can be neither avoided nor withdrawn: an
 * app may begin its response, and a client may send more, at any time. HTTP/2, which loses no sockets, cannot be told
 * apart: a request in absolute form needs no Host over HTTP/1.1 either.
 */
import { LRUCache } from "lru-cache";
import type { ExchangeEnd } from "../observability/metrics/facts.ts";
import type { UploadProgress } from "./upload_progress.ts";

/** Counts the sockets that were lost, up to where no more are risked. */
export interface LeakedSockets {
  readonly count: number;
  /** Whether this client may be streamed a response while its request is still open. */
  mayRisk(clientAddress: string): boolean;
  /** Notes how a streamed response to this client has ended, and how far its upload was. */
  note(
    clientAddress: string,
    end: ExchangeEnd,
    upload: UploadProgress | undefined,
  ): void;
}

/** How many sockets may be lost. */
const MAX_LOST = 1000;

/** How many of them to one client: it must not use up what is for all. */
const MAX_LOST_PER_CLIENT = 20;

/** Most clients remembered. */
const MAX_CLIENTS = 1000;

/** Creates the counter; `onEnough` is called once, when no more are risked for any client. */
export function createLeakedSockets(onEnough: () => void): LeakedSockets {
  const byClient = new LRUCache<string, number>({ max: MAX_CLIENTS });
  let count = 0;
  return {
    get count() {
      return count;
    },
    mayRisk: (clientAddress) =>
      count < MAX_LOST &&
      (byClient.get(clientAddress) ?? 0) < MAX_LOST_PER_CLIENT,
    note(clientAddress, end, upload) {
      const isBroken = end !== "complete" && end !== "aborted"; // aborted by us
      if (!isBroken || upload?.isWaiting !== true) return;
      byClient.set(clientAddress, (byClient.get(clientAddress) ?? 0) + 1);
      if (++count === MAX_LOST) onEnough();
    },
  };
}
