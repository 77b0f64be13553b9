/**
 * Deno 2.9.6, HTTP/1.1: while a response is streamed, only its writer is told that the client is gone. If a read of the
 * request's body is pending when the response breaks off, that read is never woken; as it holds the connection, the
 * socket is never closed. (Related: denoland/deno#36624.) To reproduce:
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
import { clientKey } from "../lib/client_key.ts";

/** A request's body on its way to the upstream. */
interface Upload {
  /** True while a read waits for more of it. */
  readonly isWaiting: boolean;
}

/** Most sockets that may be leaked. */
const MAX_LEAKED = 1000;

/** Most of them that one client may leak: it must not use up the budget of all. */
const MAX_LEAKED_PER_CLIENT = 20;

/** Most clients remembered. */
const MAX_CLIENTS = 1000;

/** Counts the sockets that were leaked, up to the number beyond which no more are risked. */
export class LeakedSockets {
  readonly #byClient = new LRUCache<string, number>({ max: MAX_CLIENTS });
  readonly #onEnough: () => void;
  #count = 0;

  /** @param onEnough Called once, when no more are risked for any client. */
  constructor(onEnough: () => void) {
    this.#onEnough = onEnough;
  }

  /** The number of sockets leaked so far. */
  get count(): number {
    return this.#count;
  }

  /** True if this client may be streamed a response while its request is still open. */
  mayRisk(clientAddress: string): boolean {
    return this.#count < MAX_LEAKED &&
      this.#leakedBy(clientAddress) < MAX_LEAKED_PER_CLIENT;
  }

  /**
   * Notes that a streamed response to this client has ended, and how: `complete`, `aborted` by the gateway, or any
   * other word if it broke off.
   */
  note(clientAddress: string, end: string, upload: Upload | undefined): void {
    const isBroken = end !== "complete" && end !== "aborted";
    if (!isBroken || upload?.isWaiting !== true) return;
    const leaked = this.#leakedBy(clientAddress) + 1;
    this.#byClient.set(clientKey(clientAddress), leaked);
    if (++this.#count === MAX_LEAKED) this.#onEnough();
  }

  #leakedBy(clientAddress: string): number {
    return this.#byClient.get(clientKey(clientAddress)) ?? 0;
  }
}
