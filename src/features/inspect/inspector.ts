/**
 * The owner's view of a sandbox: exchanges are told to whoever is watching it. Of what happened while nobody watched, the
 * latest failures are known, and what a watcher has seen is in its browser only.
 */
import {
  type ExchangeObserver,
  isFailure,
  type SeenExchange,
} from "../../gateway/observer.ts";
import { CountById } from "../../proxy/counts.ts";
import { inspectedOf } from "./inspected_exchange.ts";
import type { KeptFailures } from "./kept_failures.ts";
import { WatchedSandbox } from "./watched_sandbox.ts";
import { eventOf, Watcher } from "./watcher.ts";

export type InspectorLimits = Readonly<typeof LIMITS>;

const LIMITS = {
  watchersPerSandbox: 8,
  watchersPerUser: 8,
  // With the most of each: 12.5 MiB, beside the buffers that the budget counts.
  watchers: 50,
  // What may wait for one watcher, and the time without an event after which it is sent a sign of life.
  queueChars: 256 * 1024,
  heartbeatMs: 15_000,
  // What each share of a sandbox's exchanges lasts for at once, more than a page loads, and what it regains.
  burst: 500,
  perSec: 40,
};

export class Inspector implements ExchangeObserver {
  readonly #now: () => number;
  readonly #limits: InspectorLimits;
  readonly #sandboxes = new Map<string, WatchedSandbox>();
  /** The exchanges that watchers have been told of. */
  readonly #shown = new WeakSet<WeakKey>();
  readonly #byUser: CountById;
  readonly #failures: KeptFailures | undefined;
  #count = 0;

  constructor(
    now: () => number,
    limits: Partial<InspectorLimits> = {},
    failures?: KeptFailures,
  ) {
    this.#now = now;
    this.#failures = failures;
    this.#limits = { ...LIMITS, ...limits };
    this.#byUser = new CountById(this.#limits.watchersPerUser);
  }

  /** True if somebody watches, or if it is a failure that is kept: the one look that every exchange takes. */
  wants(progress: Pick<Partial<SeenExchange>, "status" | "end">): boolean {
    return this.#count > 0 ||
      this.#failures !== undefined && isFailure(progress);
  }

  watched(sandboxId: string): WatchedSandbox | undefined {
    return this.#sandboxes.get(sandboxId);
  }

  see(
    sandboxId: string,
    exchange: WeakKey,
    facts: () => SeenExchange,
    progress: Pick<SeenExchange, "status" | "end" | "endedAt">,
  ): void {
    // Who was not admitted must not fill it, nor name sandboxes that there are not.
    if (
      this.#failures !== undefined && progress.endedAt !== undefined &&
      isFailure(progress) && facts().by !== undefined
    ) this.#failures.keep(sandboxId, () => inspectedOf(facts()));
    const watched = this.watched(sandboxId);
    if (watched === undefined) return;
    const { status, end = "complete" } = progress;
    // WebSockets, refusals and failures.
    const isNotable = status === 101 || status >= 400 || end !== "complete";
    const share = isNotable ? "notable" : "ordinary";
    if (!this.#shown.has(exchange) && !watched.takes(share)) {
      if (progress.endedAt !== undefined) watched.leaveOut();
      return;
    }
    this.#shown.add(exchange);
    watched.tell(inspectedOf(facts()));
  }

  /** Begins to watch a sandbox; undefined if too many do, or the user does. The stream must be read or cancelled. */
  watch(sandboxId: string, user: string): Watcher | undefined {
    const { watchersPerSandbox, watchers } = this.#limits;
    const sandbox = this.watched(sandboxId) ??
      new WatchedSandbox(this.#limits, this.#now);
    if (sandbox.size >= watchersPerSandbox || this.#count >= watchers) {
      return undefined;
    }
    const ofUser = this.#byUser.increment(user);
    if (ofUser === undefined) return undefined;
    const watcher = new Watcher(this.#limits, () => {
      this.#byUser.decrement(ofUser);
      sandbox.delete(watcher);
      this.#count--;
      if (sandbox.size === 0) this.#sandboxes.delete(sandboxId);
    });
    sandbox.add(watcher);
    this.#sandboxes.set(sandboxId, sandbox);
    this.#count++;
    watcher.push(eventOf("watching", { sandboxId }));
    for (const failure of this.#failures?.of(sandboxId) ?? []) {
      watcher.push(failure);
    }
    return watcher;
  }
}
