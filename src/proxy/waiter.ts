/** A request that waits for its turn, such as for a place at an upstream. */
import type { After } from "../lib/after.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { Waiting } from "./fair_queue.ts";

/** The longest wait, ms. */
const MAX_WAIT_MS = 10_000;

interface WaiterOptions extends Waiting {
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  readonly after: After;
  /** Why it has none. */
  readonly refusal: () => Error;
  /** Called when it waits no longer, before a place was its. */
  readonly onGiveUp: () => void;
}

/** Waits until it is admitted or refused, its client leaves, or it has waited for 10 s. */
export class Waiter<Place> implements Waiting {
  readonly group: string;
  readonly member: string;
  readonly #options: WaiterOptions;
  readonly #place = Promise.withResolvers<Place>();
  readonly #cancelTimer: () => void;

  /** @throws {StreamError} if the client has left already */
  constructor(options: WaiterOptions) {
    const { group, member, signal, after } = options;
    if (signal.aborted) throw new StreamError("aborted", "the client left");
    this.group = group;
    this.member = member;
    this.#options = options;
    signal.addEventListener("abort", this.#onAbort);
    this.#cancelTimer = after(MAX_WAIT_MS, () => this.#giveUp());
  }

  /** Rejects with the refusal, or a {@linkcode StreamError} if the client left. */
  get place(): Promise<Place> {
    return this.#place.promise;
  }

  admit(place: Place | Promise<Place>): void {
    this.#stop();
    this.#place.resolve(place);
  }

  refuse(error: Error = this.#options.refusal()): void {
    this.#stop();
    this.#place.reject(error);
  }

  #giveUp(error?: Error): void {
    this.#options.onGiveUp();
    this.refuse(error);
  }

  readonly #onAbort = () => {
    this.#giveUp(new StreamError("aborted", "the client did not wait"));
  };

  #stop(): void {
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#cancelTimer();
  }
}
