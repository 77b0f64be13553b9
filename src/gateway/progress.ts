/** What is learned of an exchange while it is under way: who was admitted, how far it came, and how it ended. */
import type { Grant } from "../auth/grants.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";

/** Who was admitted to what. */
export interface Guest {
  readonly sandboxId: string;
  /** The credential, or `public`. */
  readonly by: string;
  /** Whose limit the exchange counts against; the sandbox's unless given. */
  readonly countsAgainst?: string;
  /** What the log calls who was admitted; undefined if that is not known. */
  readonly subject?: string;
  readonly credential?: { readonly kind: string; readonly place?: string };
  readonly grant?: Pick<Grant, "frame">;
  /** True if a label opens what Daytona says is private. */
  readonly isByLabel?: boolean;
}

/** Facts about an exchange that are learned while it is under way; times are in ms since the epoch. */
export class Progress {
  readonly startedAt: number;
  /** When access was granted and the destination known; undefined if that never happened. */
  resolvedAt: number | undefined;
  /** Whose sandbox it is, if the API has told. */
  organizationId: string | undefined;
  /** When the head of the response was ready. */
  answeredAt: number;
  /** Bytes of content sent to the upstream. */
  receivedBytes = 0;
  /** What a response of our own is that comes in place of the app's, for the log. */
  notes: string | undefined;
  readonly #now: () => number;
  #missedCache: boolean | undefined;

  constructor(startedAt: number, now: () => number) {
    this.startedAt = startedAt;
    this.answeredAt = startedAt;
    this.#now = now;
  }

  note(what: string): void {
    this.notes = this.notes === undefined ? what : `${this.notes}, ${what}`;
  }

  onLookups(): void {
    this.#missedCache ??= false;
  }

  /** Notes a lookup that went beyond the cache in process. */
  onMiss(): void {
    this.#missedCache = true;
  }

  onResolved(): void {
    this.resolvedAt = this.#now();
  }

  onUpload(bytes: number): void {
    this.receivedBytes += bytes;
  }

  onAnswer(): void {
    this.answeredAt = this.#now();
  }

  /** "miss" if a lookup went beyond the cache in process; undefined if nothing was looked up. */
  get cache(): "hit" | "miss" | undefined {
    if (this.#missedCache === undefined) return undefined;
    return this.#missedCache ? "miss" : "hit";
  }

  /**
   * The value of Server-Timing (W3C Server Timing): `resolve` is the time that the gate and the lookup of the
   * destination took, `upstream` the time until the upstream's response began, both in milliseconds.
   */
  serverTiming(): string {
    const { startedAt, answeredAt, cache } = this;
    const resolvedAt = this.resolvedAt ?? answeredAt;
    const metrics = [`resolve;dur=${resolvedAt - startedAt}`];
    if (cache !== undefined) metrics.unshift(`cache;desc=${cache}`);
    if (this.resolvedAt !== undefined) {
      metrics.push(`upstream;dur=${answeredAt - resolvedAt}`);
    }
    return metrics.join(", ");
  }
}

/** How an exchange ended, if there is more to say than `complete`. */
export type Conclusion = Partial<
  Pick<ExchangeRecord, "end" | "reason" | "error" | "tunnel" | "sentBytes">
>;
