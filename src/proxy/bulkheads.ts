/**
 * Keeps an upstream that does not answer from costing anybody but those who use it: limits how many exchanges wait for the
 * head of its response. Who exceeds that waits for a place.
 */
import { queueOfAll, queueOfOne } from "../config/shares.ts";
import type { After } from "../lib/after.ts";
import { clientKey } from "../lib/client_key.ts";
import type { LimitUse } from "../observability/metrics/facts.ts";
import type { App, Destination } from "../resolver/destination.ts";
import type { UpstreamRequest } from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import { Count, CountById, type IdCount } from "./counts.ts";
import { FairQueue, largest, type Waiting } from "./fair_queue.ts";
import { Liveness } from "./liveness.ts";
import { Waiter } from "./waiter.ts";

/** The share of an upstream's places that one sandbox may take, and the least number of them. */
const SANDBOX_SHARE = 1 / 4;
const MIN_OF_SANDBOX = 4;

/** Who comes to an upstream that is full, and has answered nobody for so long, ms, does not wait: it may be hung. */
const PATIENCE_MS = 2000;

/** An upstream, as an operator sees it. */
export interface UpstreamState {
  /** As {@linkcode Origin.key}. */
  readonly origin: string;
  /** The exchanges that wait for the head of its response. */
  readonly waiting: number;
  /** True from a failed probe until it answers anybody. */
  readonly isUnresponsive: boolean;
}

interface BulkheadOptions {
  /** The setting of the limit. */
  readonly name: string;
  /** Most exchanges that may wait for the head of one upstream's response. */
  readonly limit: number;
  /** What the limit of those is called that wait for one of these places. */
  readonly queueName: string;
  /** The limit of all exchanges, of which those that wait for anything take a part. */
  readonly total: number;
  /** Milliseconds; a clock that somebody sets costs a probe. */
  readonly now: () => number;
  readonly after: After;
  /** True if the upstream answers, with whatever. It must not reject, and resolve within 5 s. */
  readonly probe: (destination: Destination) => Promise<boolean>;
  /** Called when an upstream becomes unresponsive, and when it answers again. */
  readonly onChange: (upstream: UpstreamState) => void;
}

interface Upstream {
  readonly origin: string;
  readonly liveness: Liveness;
  /** The exchanges that have a place. */
  waiting: number;
  /** Exchanges that wait for one. */
  readonly queue: FairQueue<Waiter<Place>>;
}

/** An exchange that waits for the head of its response. */
export interface Place {
  readonly upstream: Upstream;
  readonly ofSandbox: IdCount;
  /** Bytes of the body that are to be sent; Infinity if its length is not known, or if it is not begun yet. */
  unsent: number;
}

type Exchange =
  & Pick<App, "sandboxId">
  & Pick<UpstreamRequest, "body" | "contentLength">
  & {
    readonly clientAddress: string;
    readonly reply: { signal(): AbortSignal };
  };

/** The exchanges that wait for each upstream that serves many sandboxes. */
export class Bulkheads {
  readonly #options: BulkheadOptions;
  /** One leaves at a tick, not with its last exchange: see {@linkcode CountById}. */
  readonly #upstreams = new Map<string, Upstream>();
  readonly #bySandbox: CountById;
  /** The exchanges that have a place, at all upstreams. */
  #waiting = 0;
  /** Those that wait for one. */
  readonly #queued = new Count();

  constructor(options: BulkheadOptions) {
    const share = Math.ceil(options.limit * SANDBOX_SHARE);
    this.#options = options;
    this.#bySandbox = new CountById(Math.max(MIN_OF_SANDBOX, share));
  }

  /**
   * The place of an exchange whose request is about to be sent; once one is free, and if the upstream is suspected, once
   * a probe has told. Undefined where the origin is one sandbox's own.
   * @throws {UpstreamError} `unresponsive`, `busy` or `sandbox_busy`
   * @throws {StreamError} if the client has left
   */
  enter(
    destination: Destination,
    exchange: Exchange,
  ): Place | Promise<Place> | undefined {
    if (destination.livenessTarget === undefined) return undefined;
    const upstream = this.#upstreamAt(destination);
    const { liveness } = upstream;
    const verdict = liveness.isSuspected ? liveness.probe() : undefined;
    if (liveness.isUnresponsive) throw liveness.refusal();
    const place = this.#take(upstream, exchange.sandboxId);
    if (place === undefined) return this.#queue(upstream, exchange);
    if (this.#queued.value > 0) this.#trimQueues(upstream);
    if (verdict === undefined) return begin(place, exchange);
    // Meanwhile it has a place: many may come within the time that a probe takes.
    return verdict.then(() => {
      if (!liveness.isUnresponsive) return begin(place, exchange);
      this.leave(place, false);
      throw liveness.refusal();
    });
  }

  /** Notes that so many bytes of an exchange's body were sent. */
  sent(place: Place, bytes: number): void {
    if (place.unsent <= 0) return;
    place.unsent -= bytes;
    if (place.unsent <= 0) place.upstream.liveness.await();
  }

  /** Ends the wait of an exchange: with the head of a response, or without. */
  leave(place: Place | undefined, isAnswered: boolean): void {
    if (place === undefined) return;
    const { upstream, ofSandbox, unsent } = place;
    const wasFull = ofSandbox.value >= this.#bySandbox.limit;
    upstream.waiting--;
    this.#waiting--;
    if (unsent <= 0) upstream.liveness.end();
    place.unsent = 0; // what is sent later is not waited for
    this.#bySandbox.decrement(ofSandbox);
    if (isAnswered) upstream.liveness.hear();
    if (this.#queued.value === 0) return;
    this.#admitNext(upstream);
    if (!wasFull) return;
    // If the sandbox has moved, some of those who wait for one of its places are elsewhere.
    for (const each of this.#upstreams.values()) this.#admitNext(each);
  }

  /** Probes what is unresponsive, and forgets what nobody uses; to be called every 5 s. */
  tick(): void {
    for (const [key, upstream] of this.#upstreams) {
      const { liveness, waiting, queue } = upstream;
      if (liveness.isUnresponsive && (waiting > 0 || liveness.isWanted)) {
        liveness.probe();
      } else if (waiting === 0 && queue.size === 0 && !liveness.isProbed) {
        this.#upstreams.delete(key);
      }
    }
  }

  /** How many places are taken at the upstream where most are, and how many wait for one where most do. */
  limitsInUse(): LimitUse[] {
    const { name, limit, queueName, total } = this.#options;
    let used = 0;
    let queued = { used: 0, limit: queueOfOne(0, total) };
    for (const { waiting, queue } of this.#upstreams.values()) {
      used = Math.max(used, waiting);
      if (queue.size <= queued.used) continue;
      queued = { used: queue.size, limit: queueOfOne(waiting, total) };
    }
    return [{ name, used, limit }, { name: queueName, ...queued }];
  }

  get unresponsive(): number {
    return this.mostWaiting(Infinity)
      .filter(({ isUnresponsive }) => isUnresponsive).length;
  }

  /** The upstreams for which most exchanges wait. */
  mostWaiting(count: number): UpstreamState[] {
    return [...this.#upstreams.values()].map(stateOf)
      .filter((each) => each.waiting > 0 || each.isUnresponsive)
      .sort((one, other) => other.waiting - one.waiting).slice(0, count);
  }

  #upstreamAt(destination: Destination): Upstream {
    const { key: origin } = destination.origin;
    let upstream = this.#upstreams.get(origin);
    if (upstream === undefined) {
      upstream = this.#newUpstream(origin, destination);
      this.#upstreams.set(origin, upstream);
    }
    return upstream;
  }

  #newUpstream(origin: string, destination: Destination): Upstream {
    const { now, probe, onChange } = this.#options;
    const queue = new FairQueue<Waiter<Place>>(this.#queued);
    const liveness = new Liveness({
      now,
      probe: () => probe(destination),
      onChange() {
        onChange(stateOf(upstream));
        if (!liveness.isUnresponsive) return;
        for (const each of queue.drain()) each.refuse(liveness.refusal());
      },
    });
    const upstream = { origin, liveness, waiting: 0, queue };
    return upstream;
  }

  #isFull({ waiting }: Upstream): boolean {
    return waiting >= this.#options.limit;
  }

  /** A place for an exchange that sends nothing yet; undefined if none is free. */
  #take(upstream: Upstream, sandboxId: string): Place | undefined {
    if (this.#isFull(upstream)) return undefined;
    const ofSandbox = this.#bySandbox.increment(sandboxId);
    if (ofSandbox === undefined) return undefined;
    upstream.waiting++;
    this.#waiting++;
    return { upstream, ofSandbox, unsent: Infinity };
  }

  /** The place of an exchange, once it is its turn. */
  #queue(upstream: Upstream, exchange: Exchange): Promise<Place> {
    const { liveness, queue } = upstream;
    if (this.#isFull(upstream) && liveness.silentMs >= PATIENCE_MS) {
      throw this.#refusal(upstream);
    }
    const waiter = new Waiter<Place>({
      group: exchange.sandboxId,
      member: clientKey(exchange.clientAddress),
      signal: exchange.reply.signal(),
      after: this.#options.after,
      refusal: () => this.#refusal(upstream),
      onGiveUp: () => queue.remove(waiter),
    });
    const most = queueOfOne(upstream.waiting, this.#options.total);
    queue.add(waiter, most)?.refuse();
    this.#trimQueues(upstream, waiter);
    return waiter.place.then((place) => begin(place, exchange));
  }

  /** Refuses who are too many to wait: of the upstream for which most do, or as many as for that of the newest. */
  #trimQueues(upstream: Upstream, newest?: Waiting): void {
    const most = queueOfAll(this.#waiting, this.#options.total);
    while (this.#queued.value > most) {
      const all = this.#upstreams.values();
      const { queue } = largest(all, upstream, ({ queue }) => queue.size);
      queue.removeLast(newest)?.refuse();
    }
  }

  /** Why there is no place. */
  #refusal(upstream: Upstream): UpstreamError {
    if (this.#isFull(upstream)) {
      return new UpstreamError("busy", "too many exchanges wait for it");
    }
    const message = "too many exchanges wait for one sandbox's responses";
    return new UpstreamError("sandbox_busy", message);
  }

  #admitNext(upstream: Upstream): void {
    const hasRoom = (id: string) =>
      this.#bySandbox.of(id) < this.#bySandbox.limit;
    while (!this.#isFull(upstream)) {
      const next = upstream.queue.next(hasRoom);
      const place = next && this.#take(upstream, next.group);
      if (place === undefined) return;
      next?.admit(place);
    }
  }
}

/** Notes that an exchange begins to send. */
function begin(place: Place, { body, contentLength }: Exchange): Place {
  place.unsent = body === null ? 0 : contentLength ?? Infinity;
  if (place.unsent === 0) place.upstream.liveness.await();
  return place;
}

/** Without the destination, which has secrets. */
function stateOf({ origin, waiting, liveness }: Upstream): UpstreamState {
  return { origin, waiting, isUnresponsive: liveness.isUnresponsive };
}
