/**
 * How many exchanges one client may have at once. Who asks for more by a safe method waits for one of them to end: a
 * browser has as many requests under way as the front allows, 128 by default in nginx, and sends the next one before the
 * gateway knows that the last answer has arrived.
 */
import { queueOfClients } from "../config/shares.ts";
import type { After } from "../lib/after.ts";
import { CountById, type IdCount } from "./counts.ts";
import { FairQueue } from "./fair_queue.ts";
import { Waiter } from "./waiter.ts";

/** Who waits, and what to tell it if that is for nothing. */
export interface Waiting {
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  readonly refusal: () => Error;
}

export class ClientPlaces {
  readonly counts: CountById;
  readonly #mostWaiting: number;
  readonly #after: After;
  /** In turns, of which each client has one: it is what {@linkcode FairQueue} has sandboxes for. */
  readonly #queue = new FairQueue<Waiter<IdCount>>();

  /** @param total The limit of all exchanges, of which a part may wait */
  constructor(limit: number, total: number, after: After) {
    this.counts = new CountById(limit);
    this.#mostWaiting = queueOfClients(total);
    this.#after = after;
  }

  /** How many wait. */
  get queued(): number {
    return this.#queue.size;
  }

  /** A place; undefined if none is free. */
  take(client: string): IdCount | undefined {
    return this.counts.increment(client);
  }

  /**
   * A place, once one is free and it is its turn among the client's.
   * @throws {Error} the refusal, after 10 s, or at once if too many wait, of which this client has most
   * @throws {StreamError} if the client has left
   */
  wait(client: string, { signal, refusal }: Waiting): Promise<IdCount> {
    const waiter = new Waiter<IdCount>({
      sandboxId: client,
      client,
      signal,
      after: this.#after,
      refusal,
      onGiveUp: () => this.#queue.remove(waiter),
    });
    this.#queue.add(waiter, this.#mostWaiting)?.refuse();
    return waiter.place;
  }

  /** Gives a place back, to the next one of the client's if any waits. */
  leave(client: string, place: IdCount): void {
    this.counts.decrement(place);
    if (this.#queue.size === 0) return;
    const next = this.#queue.next((id) => id === client);
    const free = next && this.counts.increment(client);
    if (free !== undefined) next?.admit(free);
  }
}
