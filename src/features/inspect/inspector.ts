/**
 * The owner's view of a sandbox: exchanges are told to whoever is watching it, as events of a stream (HTML, "Server-sent
 * events"). Nothing is kept: what happened while nobody watched is not known, and what a watcher has seen is in its
 * browser only.
 */
import { type SampleLimits, WatchedSandbox } from "./watched_sandbox.ts";
import { eventOf, Watcher, type WatcherLimits } from "./watcher.ts";

/** The limits of watching. */
export interface InspectorLimits extends WatcherLimits, SampleLimits {
  readonly watchersPerSandbox: number;
  readonly watchers: number;
}

const LIMITS: InspectorLimits = {
  watchersPerSandbox: 8,
  // With the most of each: 12.5 MiB, beside the buffers that the budget counts.
  watchers: 50,
  queueChars: 256 * 1024,
  heartbeatMs: 15_000,
  burst: 500,
  perSec: 40,
};

/** Who watches which sandbox. */
export class Inspector {
  readonly #now: () => number;
  readonly #limits: InspectorLimits;
  readonly #sandboxes = new Map<string, WatchedSandbox>();
  #count = 0;

  /** `now` is in ms. */
  constructor(now: () => number, limits: Partial<InspectorLimits> = {}) {
    this.#now = now;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** True if nobody watches anything: the one look that every exchange takes. */
  get isIdle(): boolean {
    return this.#count === 0;
  }

  /** The sandbox, if somebody watches it. */
  watched(sandboxId: string): WatchedSandbox | undefined {
    return this.#sandboxes.get(sandboxId);
  }

  /** Begins to watch a sandbox; undefined if too many do. The stream must be read or cancelled. */
  watch(sandboxId: string): Watcher | undefined {
    const { watchersPerSandbox, watchers } = this.#limits;
    const sandbox = this.#sandboxes.get(sandboxId) ??
      new WatchedSandbox(this.#limits, this.#now);
    if (sandbox.size >= watchersPerSandbox || this.#count >= watchers) {
      return undefined;
    }
    const watcher = new Watcher(this.#limits, () => {
      sandbox.delete(watcher);
      this.#count--;
      if (sandbox.size === 0) this.#sandboxes.delete(sandboxId);
    });
    sandbox.add(watcher);
    this.#sandboxes.set(sandboxId, sandbox);
    this.#count++;
    watcher.push(eventOf("watching", { sandboxId }));
    return watcher;
  }
}
