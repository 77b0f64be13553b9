/**
 * How many exchanges one client may have at once. Who asks for more may wait for one of them to end: a browser has as many
 * requests under way as the front allows, 128 by default in nginx, and sends the next one before the gateway knows that
 * the last answer has arrived.
 */
import { queueOfClients } from "../config/shares.ts";
import { GatewayError } from "../errors.ts";
import type { After } from "../lib/after.ts";
import type { LimitUse } from "../observability/metrics/facts.ts";
import { CountById, type IdCount } from "./counts.ts";
import { FairQueue } from "./fair_queue.ts";
import { Waiter } from "./waiter.ts";

/** Who waits, and what to tell it if that is for nothing. */
export interface WaitingClient {
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  readonly refusal: () => Error;
}

export class ClientPlaces {
  readonly counts: CountById;
  readonly #mostQueued: number;
  readonly #after: After;
  /** By client: those of one wait in the order in which they have come. */
  readonly #queue = new FairQueue<Waiter<IdCount>>();
  #isDraining = false;

  /** @param total The limit of all exchanges, of which a part may wait */
  constructor(limit: number, total: number, after: After) {
    this.counts = new CountById(limit);
    this.#mostQueued = queueOfClients(total);
    this.#after = after;
  }

  /** How many wait. */
  get queued(): number {
    return this.#queue.size;
  }

  get limitInUse(): LimitUse {
    const { queued: used } = this;
    return { name: "QUEUED_BY_CLIENT", used, limit: this.#mostQueued };
  }

  /** A place; undefined if none is free. */
  take(client: string): IdCount | undefined {
    return this.counts.increment(client);
  }

  /**
   * A place, once one is free and it is its turn among the client's.
   * @throws {Error} the refusal, after 10 s, or at once if too many wait, of which this client has most
   * @throws {GatewayError} `draining`
   * @throws {StreamError} if the client has left
   */
  async wait(
    client: string,
    { signal, refusal }: WaitingClient,
  ): Promise<IdCount> {
    if (this.#isDraining) throw draining();
    const waiter = new Waiter<IdCount>({
      group: client,
      member: "",
      signal,
      after: this.#after,
      refusal,
      onGiveUp: () => this.#queue.remove(waiter),
    });
    this.#queue.add(waiter, this.#mostQueued)?.refuse();
    return await waiter.place;
  }

  /** Gives a place back, to the next one of the client's if any waits. */
  leave(client: string, place: IdCount): void {
    this.counts.decrement(place);
    if (this.#queue.size === 0) return;
    const next = this.#queue.nextOf(client);
    const free = next && this.counts.increment(client);
    if (free !== undefined) next?.admit(free);
  }

  /** From now on, nobody waits, so that a front sends what did to another gateway. */
  refuseWaiting(): void {
    this.#isDraining = true;
    for (const each of this.#queue.drain()) each.refuse(draining());
  }
}

function draining(): GatewayError {
  return new GatewayError("draining", "It waited for a place");
}
