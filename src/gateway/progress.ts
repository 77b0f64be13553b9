/** The progress of an exchange, for its record and its Server-Timing header. */

/** Facts about an exchange that are learned while it is under way; times are in ms since the epoch. */
export class Progress {
  readonly startedAt: number;
  /** When access was granted and the destination known; undefined if that never happened. */
  resolvedAt: number | undefined;
  /** When the head of the response was ready. */
  answeredAt: number;
  /** Bytes of content sent to the upstream. */
  receivedBytes = 0;
  readonly #now: () => number;
  #missedCache: boolean | undefined;

  constructor(startedAt: number, now: () => number) {
    this.startedAt = startedAt;
    this.answeredAt = startedAt;
    this.#now = now;
  }

  /** Notes that lookups begin. */
  onLookups(): void {
    this.#missedCache ??= false;
  }

  /** Notes a lookup that went beyond the cache in process. */
  onMiss(): void {
    this.#missedCache = true;
  }

  /** Notes that access is granted and the destination known. */
  onResolved(): void {
    this.resolvedAt = this.#now();
  }

  /** Notes a part of the request's body that was sent to the upstream, by its length. */
  onUpload(bytes: number): void {
    this.receivedBytes += bytes;
  }

  /** Notes that the head of the response is ready. */
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
