/**
 * The owner's view of a sandbox: exchanges are told to whoever is watching it, as events of a stream (HTML, "Server-sent
 * events"). Nothing is kept: what happened while nobody watched is not known, and what a watcher has seen is in its
 * browser only.
 */
import type { HeaderList } from "../../lib/headers.ts";
import type { ExchangeEnd, TunnelFacts } from "../metrics/facts.ts";

/** An exchange as watchers are told of it, without credentials (see redact.ts). Times are in ms. */
export interface InspectedExchange {
  /** The request's ID; a second event with the same one replaces the first. */
  readonly id: string;
  /** Since the epoch. */
  readonly startedAt: number;
  readonly method: string;
  readonly port: number | undefined;
  readonly target: string;
  readonly status: number;
  /** True as long as its response or its WebSocket lasts. */
  readonly isOpen: boolean;
  /** Until the head of the response was ready, and until the end. */
  readonly waitMs: number;
  readonly totalMs: number | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly end: ExchangeEnd | undefined;
  /** Why it did not end completely. */
  readonly reason: string | undefined;
  /** The gateway's error code, if the response is its own, and what that means. */
  readonly error: string | undefined;
  readonly explanation: string | undefined;
  /** What gave access. */
  readonly by: string | undefined;
  readonly tunnel: TunnelFacts | undefined;
  readonly requestHeaders: HeaderList;
  readonly responseHeaders: HeaderList;
}

/** The limits of watching. */
export interface InspectorLimits {
  readonly watchersPerSandbox: number;
  readonly watchers: number;
  /** What may wait for one watcher, characters. */
  readonly queueChars: number;
  /** The time without an event after which a watcher is sent a sign of life, ms. */
  readonly heartbeatMs: number;
}

const LIMITS: InspectorLimits = {
  watchersPerSandbox: 8,
  // With the most of each: 12.5 MiB, beside the buffers that the budget counts.
  watchers: 50,
  queueChars: 256 * 1024,
  heartbeatMs: 15_000,
};

/** Who watches which sandbox. */
export class Inspector {
  readonly #limits: InspectorLimits;
  readonly #watchers = new Map<string, Set<Watcher>>();
  #count = 0;

  constructor(limits: Partial<InspectorLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** True if nobody watches anything: the one look that every exchange takes. */
  get isIdle(): boolean {
    return this.#count === 0;
  }

  /** True if somebody watches the sandbox. */
  watches(sandboxId: string): boolean {
    return this.#watchers.has(sandboxId);
  }

  /** Tells an exchange to whoever watches the sandbox. */
  tell(sandboxId: string, exchange: InspectedExchange): void {
    const watchers = this.#watchers.get(sandboxId);
    if (watchers === undefined) return;
    const text = eventOf("exchange", exchange);
    for (const watcher of watchers) watcher.push(text);
  }

  /** Begins to watch a sandbox; undefined if too many do. The stream must be read or cancelled. */
  watch(sandboxId: string): Watcher | undefined {
    const { watchersPerSandbox, watchers } = this.#limits;
    const others = this.#watchers.get(sandboxId) ?? new Set();
    if (others.size >= watchersPerSandbox || this.#count >= watchers) {
      return undefined;
    }
    const watcher = new Watcher(this.#limits, () => {
      others.delete(watcher);
      this.#count--;
      if (others.size === 0) this.#watchers.delete(sandboxId);
    });
    others.add(watcher);
    this.#watchers.set(sandboxId, others);
    this.#count++;
    watcher.push(eventOf("watching", { sandboxId }));
    return watcher;
  }
}

/** One watcher's stream of events, read part by part like the body of a response. */
export class Watcher {
  readonly #limits: InspectorLimits;
  readonly #onEnd: () => void;
  #queue: string[] = [];
  #chars = 0;
  /** Exchanges that the watcher was too slow for. */
  #missed = 0;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(limits: InspectorLimits, onEnd: () => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  /** Adds an event, unless too much waits already. */
  push(text: string): void {
    if (this.#chars + text.length > this.#limits.queueChars) this.#missed++;
    else {
      this.#queue.push(text);
      this.#chars += text.length;
    }
    this.#wake?.();
  }

  /** All that waits, as soon as there is something, or a comment as a sign of life; null once cancelled. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#queue.length === 0 && this.#missed === 0 && !this.#hasEnded) {
      await this.#event();
    }
    if (this.#hasEnded) return null;
    if (this.#missed > 0) {
      this.#queue.push(eventOf("missed", { count: this.#missed }));
      this.#missed = 0;
    }
    const text = this.#queue.join("");
    this.#queue = [];
    this.#chars = 0;
    return new TextEncoder().encode(text === "" ? ":\n\n" : text);
  }

  /** Stops watching. */
  cancel(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#queue = [];
    this.#onEnd();
    this.#wake?.();
  }

  /** Resolves with the next event, the end, or the time for a sign of life. */
  async #event(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#limits.heartbeatMs);
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }
}

/** An event; JSON has no line breaks of its own, so nothing in it can be taken for another event. */
function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
