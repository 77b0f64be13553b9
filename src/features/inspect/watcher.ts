/** One watcher of a sandbox: a stream of events (HTML, "Server-sent events") with little room for what is not read yet. */
import { fulfilsWithin } from "../../lib/fulfils_within.ts";

type WatcherLimits = Readonly<Record<"queueChars" | "heartbeatMs", number>>;

/** One watcher's stream of events, read part by part like the body of a response. */
export class Watcher {
  readonly #limits: WatcherLimits;
  readonly #onEnd: () => void;
  #queue: string[] = [];
  #chars = 0;
  /** Exchanges that are not shown to the watcher, and that it was not told of yet. */
  #missed = 0;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(limits: WatcherLimits, onEnd: () => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  /** Adds an event, unless too much waits already. */
  push(text: string): void {
    if (this.#chars + text.length > this.#limits.queueChars) {
      return this.miss(1);
    }
    this.#queue.push(text);
    this.#chars += text.length;
    this.#wake?.();
  }

  miss(count: number): void {
    this.#missed += count;
    this.#wake?.();
  }

  /** All that waits, as soon as there is something, or a comment as a sign of life; null once cancelled. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#queue.length === 0 && this.#missed === 0 && !this.#hasEnded) {
      const { promise: event, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await fulfilsWithin(event, this.#limits.heartbeatMs);
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

  cancel(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#queue = [];
    this.#onEnd();
    this.#wake?.();
  }
}

/** An event; JSON has no line breaks of its own, so nothing in it can be taken for another event. */
export function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
