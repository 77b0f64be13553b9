/**
 * Keeps an upstream that does not answer from costing anybody but those who use it: limits how many exchanges wait for the
 * head of its response, and notices when it answers nobody.
 */
import type { LimitUse } from "../observability/metrics/facts.ts";
import type { App, Destination } from "../resolver/destination.ts";
import type { UpstreamRequest } from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import { CountById, type IdCount } from "./counts.ts";

/** An upstream is suspected if it has answered nobody for so long, ms, while so many wait for nothing else. */
const SILENCE_MS = 10_000;
const MIN_UNANSWERED = 8;

/** How long after the last exchange for it an unresponsive upstream is still probed, ms. */
const FORGET_MS = 60_000;

/** The share of an upstream's places that one sandbox may take, and the least number of them. */
const SANDBOX_SHARE = 1 / 4;
const MIN_OF_SANDBOX = 4;

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
  /** Most exchanges that may wait for one upstream. */
  readonly limit: number;
  /** Milliseconds; a clock that somebody sets costs a probe. */
  readonly now: () => number;
  /** True if the upstream answers, with whatever. It must not reject, and resolve within 5 s. */
  readonly probe: (destination: Destination) => Promise<boolean>;
  /** Called when an upstream becomes unresponsive, and when it answers again. */
  readonly onChange: (upstream: UpstreamState) => void;
}

class Upstream implements UpstreamState {
  readonly origin: string;
  readonly destination: Destination;
  waiting = 0;
  /** Those among them that need no more of their client's body. */
  unanswered = 0;
  /** Since when these have waited without anybody being answered. */
  silentSince = 0;
  isUnresponsive = false;
  /** When an exchange was last refused for that. */
  wantedAt = 0;
  /** Pending while it is probed, unless somebody is answered first. */
  verdict: PromiseWithResolvers<void> | undefined;

  constructor(destination: Destination) {
    this.origin = destination.origin.key;
    this.destination = destination;
  }
}

/** An exchange that waits. */
export interface Place {
  readonly upstream: Upstream;
  readonly ofSandbox: IdCount;
  /** Bytes of the body that are to be sent; Infinity if its length is not known, or if it is not begun yet. */
  unsent: number;
}

type Waiting =
  & Pick<App, "sandboxId">
  & Pick<UpstreamRequest, "body" | "contentLength">;

/** The exchanges that wait for each upstream that serves many sandboxes. */
export class Bulkheads {
  readonly #options: BulkheadOptions;
  /** One leaves at a tick, not with its last exchange: see {@linkcode CountById}. */
  readonly #upstreams = new Map<string, Upstream>();
  readonly #bySandbox: CountById;

  constructor(options: BulkheadOptions) {
    const share = Math.ceil(options.limit * SANDBOX_SHARE);
    this.#options = options;
    this.#bySandbox = new CountById(Math.max(MIN_OF_SANDBOX, share));
  }

  /**
   * The place of an exchange whose request is about to be sent; if the upstream is suspected, once a probe has told.
   * Undefined where the origin is one sandbox's own.
   * @throws {UpstreamError} `unresponsive`, `busy` or `sandbox_busy`
   */
  enter(
    destination: Destination,
    exchange: Waiting,
  ): Place | Promise<Place> | undefined {
    if (destination.livenessTarget === undefined) return undefined;
    const upstream = this.#upstreamAt(destination);
    const isSuspected = !upstream.isUnresponsive &&
      upstream.unanswered >= MIN_UNANSWERED &&
      this.#options.now() - upstream.silentSince >= SILENCE_MS;
    const verdict = isSuspected ? this.#probe(upstream) : undefined;
    const place = this.#take(upstream, exchange.sandboxId);
    if (verdict === undefined) return this.#begin(place, exchange);
    // Meanwhile it has a place: many may come within the time that a probe takes.
    return verdict.then(() => {
      if (!upstream.isUnresponsive) return this.#begin(place, exchange);
      this.leave(place, false);
      throw this.#refusal(upstream);
    });
  }

  /** Notes that so many bytes of an exchange's body were sent. */
  sent(place: Place, bytes: number): void {
    if (place.unsent <= 0) return;
    place.unsent -= bytes;
    if (place.unsent <= 0) this.#awaitAnswer(place.upstream);
  }

  /** Ends the wait of an exchange: with the head of a response, or without. */
  leave(place: Place | undefined, isAnswered: boolean): void {
    if (place === undefined) return;
    const { upstream, ofSandbox, unsent } = place;
    upstream.waiting--;
    if (unsent <= 0) upstream.unanswered--;
    place.unsent = 0; // what is sent later is not waited for
    this.#bySandbox.decrement(ofSandbox);
    if (isAnswered) this.#hear(upstream);
  }

  /** Probes what is unresponsive, and forgets what nobody uses; to be called every 5 s. */
  tick(): void {
    const wantedSince = this.#options.now() - FORGET_MS;
    for (const [key, upstream] of this.#upstreams) {
      const { waiting, isUnresponsive, wantedAt, verdict } = upstream;
      if (isUnresponsive && (waiting > 0 || wantedAt > wantedSince)) {
        this.#probe(upstream);
      } else if (waiting === 0 && verdict === undefined) {
        this.#upstreams.delete(key);
      }
    }
  }

  /** How many places are taken at the upstream where most are. */
  get inUse(): LimitUse {
    const { name, limit } = this.#options;
    const [most] = this.mostWaiting(1);
    return { name, used: most?.waiting ?? 0, limit };
  }

  get unresponsive(): number {
    return this.mostWaiting(Infinity)
      .filter(({ isUnresponsive }) => isUnresponsive).length;
  }

  /** The upstreams for which most exchanges wait. */
  mostWaiting(count: number): UpstreamState[] {
    return [...this.#upstreams.values()]
      .filter((each) => each.waiting > 0 || each.isUnresponsive)
      .sort((one, other) => other.waiting - one.waiting).slice(0, count)
      // Without the destination, which has secrets.
      .map(({ origin, waiting, isUnresponsive }) => (
        { origin, waiting, isUnresponsive }
      ));
  }

  #upstreamAt(destination: Destination): Upstream {
    const { key } = destination.origin;
    let upstream = this.#upstreams.get(key);
    if (upstream === undefined) {
      this.#upstreams.set(key, upstream = new Upstream(destination));
    }
    return upstream;
  }

  #refusal(upstream: Upstream): UpstreamError {
    upstream.wantedAt = this.#options.now();
    return new UpstreamError("unresponsive", "it answers nobody, nor a probe");
  }

  /** A place for an exchange that sends nothing yet. */
  #take(upstream: Upstream, sandboxId: string): Place {
    if (upstream.isUnresponsive) throw this.#refusal(upstream);
    if (upstream.waiting >= this.#options.limit) {
      throw new UpstreamError("busy", "too many exchanges wait for it");
    }
    const ofSandbox = this.#bySandbox.increment(sandboxId);
    if (ofSandbox === undefined) {
      const message = "too many exchanges wait for one sandbox's responses";
      throw new UpstreamError("sandbox_busy", message);
    }
    upstream.waiting++;
    return { upstream, ofSandbox, unsent: Infinity };
  }

  #begin(place: Place, { body, contentLength }: Waiting): Place {
    place.unsent = body === null ? 0 : contentLength ?? Infinity;
    if (place.unsent === 0) this.#awaitAnswer(place.upstream);
    return place;
  }

  #awaitAnswer(upstream: Upstream): void {
    if (upstream.unanswered++ === 0) upstream.silentSince = this.#options.now();
  }

  #hear(upstream: Upstream): void {
    upstream.silentSince = this.#options.now();
    upstream.verdict?.resolve();
    if (!upstream.isUnresponsive) return;
    upstream.isUnresponsive = false;
    this.#options.onChange(upstream);
  }

  /** Resolves once it is known whether an upstream answers; one probe at a time. */
  #probe(upstream: Upstream): Promise<void> {
    if (upstream.verdict === undefined) {
      upstream.verdict = Promise.withResolvers();
      this.#judge(upstream, upstream.verdict);
    }
    return upstream.verdict.promise;
  }

  async #judge(
    upstream: Upstream,
    verdict: PromiseWithResolvers<void>,
  ): Promise<void> {
    const { silentSince, destination } = upstream;
    if (await this.#options.probe(destination)) this.#hear(upstream);
    else if (!upstream.isUnresponsive && upstream.silentSince === silentSince) {
      upstream.isUnresponsive = true;
      upstream.wantedAt = this.#options.now();
      this.#options.onChange(upstream);
    }
    upstream.verdict = undefined;
    verdict.resolve();
  }
}
