/**
 * Deno 2.9.6, HTTP/1.1: a request's body and its response share the connection, and while the response is streamed,
 * only that is told what happens to it. If the response ends while a read of the body waits, that read is never woken,
 * and its 64 KiB buffer never freed; if it breaks off, or the client leaves, the socket is never closed either, as the
 * read holds the connection. Nor is a read woken if the body is cancelled meanwhile, however the response is sent.
 * (Related: denoland/deno#36624.)
 *
 * Such a read can be neither avoided nor withdrawn: an app may begin its response, and a client may send more, at any
 * time. HTTP/2, which leaks nothing, has no Host header, but neither need HTTP/1.1 have one.
 *
 * Instead, nobody cancels a body while a read of it waits: beside a response in one piece, Deno ends the read when the
 * client leaves. And a streamed response that is broken off from our side waits until no read does: until the client
 * sends more. What is lost even so, when such a response is complete or its client leaves, is counted and bounded.
 *
 * A read that is lost goes on to take trailers from the socket, until memory is full: Deno ends it, and the connection,
 * only if the body was cancelled before the response, in parts, was complete. So that order is kept; and where an upload in
 * chunks is dropped because memory fills, the response is completed although it is not. It announces no length, then.
 */
import { clientKey } from "../../lib/client_key.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import type { Upload } from "./upload.ts";

/** The part of an upload that can cost its socket: the read that waits, which is lost if the rest is abandoned. */
export type RiskyUpload = Pick<
  Upload,
  "idle" | "abandon" | "isAbandoned" | "isChunked"
>;

/** Most sockets that may be lost (100 kB each, measured) or at risk, and one more an hour, lest an attack last for ever. */
const IN_ALL = { capacity: 400, refillPerSec: 1 / 3600, maxKeys: 1 };

/** Most sockets of one client, which must not use up the budget of all, and most clients remembered. */
const PER_CLIENT = { capacity: 50, refillPerSec: 1 / 3600, maxKeys: 1000 };

/** Counts the sockets that were lost, and those that may be. */
export class LeakedSockets {
  readonly #all: TokenBuckets;
  readonly #byClient: TokenBuckets;
  readonly #onEnough: () => void;
  #count = 0;

  /** @param onEnough Called whenever a response is refused because no more are risked for any client. */
  constructor(now: () => number, onEnough: () => void) {
    this.#all = new TokenBuckets({ ...IN_ALL, now });
    this.#byClient = new TokenBuckets({ ...PER_CLIENT, now });
    this.#onEnough = onEnough;
  }

  get count(): number {
    return this.#count;
  }

  /** Risks the socket of a client whose request is open; undefined if no more may be. HTTP/2 may break off at any time. */
  risk(
    clientAddress: string,
    upload: RiskyUpload,
    { isHttp1 }: { readonly isHttp1: boolean },
  ): RiskedSocket | undefined {
    const client = clientKey(clientAddress);
    if (!this.#byClient.take(client).ok) return undefined;
    if (!this.#all.take("").ok) {
      this.#byClient.giveBack(client, 1);
      this.#onEnough();
      return undefined;
    }
    return riskedSocket(upload, isHttp1, (isLost) => {
      if (isLost) return void this.#count++;
      this.#byClient.giveBack(client, 1);
      this.#all.giveBack("", 1);
    });
  }
}

/** A socket at risk, until its response has ended. */
export interface RiskedSocket {
  /** To be called when the response has ended, completely or because Deno gave it up: its client has left. */
  onEnd(): void;
  /** To be called before the response is broken off from our side: at once, or when what this returns resolves, if ever. */
  onBreak(): Promise<void> | undefined;
  /** True if, once it may be broken off, it has to be completed instead: the guard has given up its upload in chunks. */
  readonly mustComplete: boolean;
}

function riskedSocket(
  upload: RiskyUpload,
  isHttp1: boolean,
  onOver: (isLost: boolean) => void,
): RiskedSocket {
  let isOver = false;
  function end(isLost: boolean): undefined {
    if (isOver) return;
    isOver = true;
    if (isLost) upload.abandon();
    onOver(isLost);
  }
  return {
    onEnd: () => end(upload.idle() !== undefined),
    onBreak() {
      const idle = upload.idle();
      return isHttp1 && idle !== undefined
        ? idle.then(() => end(false))
        : end(idle !== undefined);
    },
    get mustComplete() {
      return isHttp1 && upload.isChunked && upload.isAbandoned;
    },
  };
}
