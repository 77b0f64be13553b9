/**
 * The status page's side of the gateway: looks at the metrics now and then, more often while somebody watches, and tells
 * everybody who does by server-sent events (HTML standard, section 9.2).
 */
import type { LimitUse } from "../../observability/metrics/facts.ts";
import type { UpstreamState } from "../../proxy/bulkheads.ts";
import type { SandboxRow, Use } from "./busiest.ts";
import {
  type Point,
  pointBetween,
  type Summary,
  summaryOf,
} from "./history.ts";
import { Reading } from "./reading.ts";
import type { Trouble } from "./recent_troubles.ts";

/** What the page shows besides the metrics: which sandboxes, organizations and runners, how near the limits, what went wrong. */
interface StatusReport {
  readonly sandboxes: readonly SandboxRow[];
  readonly organizations: readonly Use[];
  readonly runners: readonly UpstreamState[];
  readonly limits: readonly LimitUse[];
  readonly troubles: readonly Trouble[];
}

interface StatusBoardOptions {
  /** Renders all metrics; `looks` says whether dependencies are to be looked at for that. */
  readonly render: (looks: boolean) => string;
  readonly report: () => StatusReport;
}

export interface StatusEvent extends Summary, StatusReport {
  /** All points if `isFirst`, otherwise the new one. */
  readonly points: readonly Point[];
  readonly isFirst: boolean;
}

/** Time between two looks, ms: while somebody watches, otherwise, and at least. */
const WATCHED_MS = 2_000;
const UNWATCHED_MS = 10_000;
const LEAST_MS = 1_000;

/** How long points are kept, and how far back counts go, ms. */
const KEPT_MS = 10 * 60_000;

/** Time between two readings that counts can begin at, ms. */
const BASE_EVERY_MS = 60_000;

/** Most watchers, and events that wait for one. */
const MAX_WATCHERS = 20;
const MAX_WAITING = 4;

type Watcher = ReadableStreamDefaultController<Uint8Array>;

export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #watchers = new Set<Watcher>();
  /** Readings that counts can begin at, the oldest first. */
  readonly #bases: Reading[] = [];
  #points: Point[] = [];
  #latest: Reading | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
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

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) end(watcher);
    this.#watchers.clear();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const pauseMs = this.#watchers.size > 0 ? WATCHED_MS : UNWATCHED_MS;
    this.#timer = setTimeout(() => {
      const points = this.#look();
      this.#tell([...this.#watchers], { points, isFirst: false });
      this.#schedule();
    }, pauseMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Takes a reading; the new point, if there is one. */
  #look(): readonly Point[] {
    const [now, before] = [Date.now(), this.#latest];
    // Rates within less would be noise, as when somebody comes to watch.
    if (before && Math.abs(now - before.at) < LEAST_MS) return [];
    let text: string;
    try {
      text = this.#options.render(this.#watchers.size > 0);
    } catch {
      return []; // a gap in the graphs: the next scrape fails as well, and logs why
    }
    const reading = new Reading(text, now);
    this.#latest = reading;
    const oldest = now - KEPT_MS;
    const base = this.#bases.at(-1);
    if (base === undefined || now - base.at >= BASE_EVERY_MS) {
      this.#bases.push(reading);
      if ((this.#bases[1]?.at ?? Infinity) <= oldest) this.#bases.shift();
    }
    if (before === undefined || now <= before.at) return [];
    const point = pointBetween(before, reading);
    this.#points = [...this.#points, point].filter(({ at }) => at >= oldest);
    return [point];
  }

  #tell(
    watchers: readonly Watcher[],
    news: Pick<StatusEvent, "points" | "isFirst">,
  ): void {
    const [since, now] = [this.#bases[0], this.#latest];
    if (watchers.length === 0 || !since || !now) return;
    const report = this.#options.report();
    const event: StatusEvent = { ...summaryOf(since, now), ...report, ...news };
    const data = `data: ${JSON.stringify(event)}\n\n`;
    const chunk = new TextEncoder().encode(data);
    for (const watcher of watchers) {
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
