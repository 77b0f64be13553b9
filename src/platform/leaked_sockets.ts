/**
 * Deno 2.9.6, HTTP/1.1: while a response is streamed, only its writer is told that the client is gone. If a read of the
 * request's body is pending when the response breaks off, that read is never woken; as it holds the connection, the
 * socket is never closed. (Related, mended before 2.9.6: denoland/deno#36624.) To reproduce:
 *
 *     Deno.serve((request) => {
 *       request.body.getReader().read().then(console.log, console.log); // never, once the client has reset
 *       return new Response(endlessStream);
 *     });
 *     // The client sends half a request, gets some of the response, and resets the connection.
 *
 * Such a read can be neither avoided nor withdrawn: an app may begin its response, and a client may send more, at any
 * time. HTTP/2, which leaks no sockets, cannot be told apart: a request in absolute form needs no Host over HTTP/1.1
 * either.
 *
 * Instead, the leaked sockets are counted and bounded.
 */
import { LRUCache } from "lru-cache";

/** How far the request's body has been read. */
interface Upload {
  /** True while a read waits for more of it. */
  readonly isWaiting: boolean;
}

/** Counts the sockets that were leaked, up to the number beyond which no more are risked. */
export interface LeakedSockets {
  readonly count: number;
  /** True if this client may be streamed a response while its request is still open. */
  mayRisk(clientAddress: string): boolean;
  /**
   * Notes that a streamed response to this client has ended, and how: `complete`, `aborted` by the gateway, or any
   * other word if it broke off.
   */
  note(clientAddress: string, end: string, upload: Upload | undefined): void;
}

/** Most sockets that may be leaked. */
const MAX_LEAKED = 1000;

/** Most of them that one client may leak: it must not use up the budget of all. */
const MAX_LEAKED_PER_CLIENT = 20;

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
      count < MAX_LEAKED &&
      (byClient.get(clientAddress) ?? 0) < MAX_LEAKED_PER_CLIENT,
    note(clientAddress, end, upload) {
      const isBroken = end !== "complete" && end !== "aborted";
      if (!isBroken || upload?.isWaiting !== true) return;
      byClient.set(clientAddress, (byClient.get(clientAddress) ?? 0) + 1);
      if (++count === MAX_LEAKED) onEnough();
    },
  };
}
