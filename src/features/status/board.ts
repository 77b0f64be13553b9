/**
 * The status page's side of the gateway: looks at the metrics now and then, more often while somebody watches, and tells
 * everybody who does by server-sent events (HTML standard, section 9.2).
 */
import {
  type Point,
  pointBetween,
  type Summary,
  summaryOf,
} from "./history.ts";
import { Reading } from "./reading.ts";
import type { StatusReport } from "./report.ts";

/** Dependencies of {@linkcode StatusBoard}. */
export interface StatusBoardOptions {
  /** Renders all metrics; `looks` says whether dependencies are to be looked at for that. */
  readonly render: (looks: boolean) => string;
  readonly report: () => StatusReport;
  /** Current time, ms since the epoch. */
  readonly now?: () => number;
}

/** What a watcher is sent. */
export interface StatusEvent extends Summary, StatusReport {
  /** All points if `isFirst`, otherwise the new one. */
  readonly points: readonly Point[];
  readonly isFirst: boolean;
}

/** Time between two looks, ms: while somebody watches, and otherwise. */
const WATCHED_MS = 2_000;
const UNWATCHED_MS = 10_000;

/** Least time between two looks, ms. */
const LEAST_MS = 1_000;

/** How long points are kept, and how far back counts go, ms. */
const KEPT_MS = 10 * 60_000;

/** Time between two readings that counts can begin at, ms. */
const BASE_EVERY_MS = 60_000;

/** Most events that wait for a watcher. */
const MAX_WAITING = 4;

/** Most watchers. */
const MAX_WATCHERS = 20;

type Watcher = ReadableStreamDefaultController<Uint8Array>;

/** Looks, remembers and tells. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #now: () => number;
  readonly #encoder = new TextEncoder();
  readonly #watchers = new Set<Watcher>();
  /** Readings that counts can begin at, the oldest first. */
  #bases: Reading[] = [];
  #points: Point[] = [];
  #latest: Reading | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#schedule();
  }

  /** The events for another watcher; undefined if there are too many. The first one comes at once. */
  watch(): ReadableStream<Uint8Array> | undefined {
    if (this.#watchers.size >= MAX_WATCHERS || this.#isClosed) return undefined;
    let watcher: Watcher;
    return new ReadableStream({
      start: (controller) => {
        watcher = controller;
        this.#watchers.add(watcher);
        this.#look();
        this.#tell([watcher], { points: this.#points, isFirst: true });
        this.#schedule();
      },
      cancel: () => void this.#watchers.delete(watcher),
    });
  }

  /** Ends everybody's events. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) end(watcher);
    this.#watchers.clear();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const pauseMs = this.#watchers.size > 0 ? WATCHED_MS : UNWATCHED_MS;
    this.#timer = setTimeout(() => this.#tick(), pauseMs);
    Deno.unrefTimer(this.#timer);
  }

  #tick(): void {
    const before = this.#points.at(-1);
    this.#look();
    const latest = this.#points.at(-1);
    const points = latest === undefined || latest === before ? [] : [latest];
    this.#tell([...this.#watchers], { points, isFirst: false });
    this.#schedule();
  }

  /** Takes a reading; one that fails is left out: the next scrape fails as well, and logs why. */
  #look(): void {
    try {
      this.#read();
    } catch {
      // A gap in the graphs.
    }
  }

  #read(): void {
    const lastAt = this.#latest?.at ?? -Infinity;
    // Rates within less would be noise, as when somebody comes to watch.
    if (Math.abs(this.#now() - lastAt) < LEAST_MS) return;
    const text = this.#options.render(this.#watchers.size > 0);
    const reading = new Reading(text, this.#now());
    const before = this.#latest;
    this.#latest = reading;
    const oldest = reading.at - KEPT_MS;
    if (before !== undefined && reading.at > before.at) {
      this.#points.push(pointBetween(before, reading));
      this.#points = this.#points.filter(({ at }) => at >= oldest);
    }
    const base = this.#bases.at(-1);
    if (base === undefined || reading.at - base.at >= BASE_EVERY_MS) {
      this.#bases.push(reading);
      const second = this.#bases[1];
      if (second !== undefined && second.at <= oldest) this.#bases.shift();
    }
  }

  #tell(
    watchers: readonly Watcher[],
    news: Pick<StatusEvent, "points" | "isFirst">,
  ): void {
    const [since, now] = [this.#bases[0], this.#latest];
    if (watchers.length === 0 || since === undefined || now === undefined) {
      return;
    }
    const event: StatusEvent = {
      ...summaryOf(since, now),
      ...this.#options.report(),
      ...news,
    };
    const data = `data: ${JSON.stringify(event)}\n\n`;
    const chunk = this.#encoder.encode(data);
    for (const watcher of watchers) {
      if (!this.#watchers.has(watcher)) continue;
      const { desiredSize } = watcher; // null if it has failed
      if (desiredSize !== null && desiredSize > -MAX_WAITING) {
        watcher.enqueue(chunk);
        continue;
      }
      // Who does not take what there is comes again by itself.
      this.#watchers.delete(watcher);
      end(watcher);
    }
  }
}

function end(watcher: Watcher): void {
  try {
    watcher.close();
  } catch {
    // The watcher has left.
  }
}
