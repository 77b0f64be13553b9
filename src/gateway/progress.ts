/** How far an exchange has come: what its record and its Server-Timing header tell. */

/** What is learned about an exchange while it is under way; times are in ms since the epoch. */
export class Progress {
  readonly startedAt: number;
  readonly #now: () => number;
  #missedCache: boolean | undefined;
  #resolvedAt: number | undefined;
  #answeredAt: number;
  #receivedBytes = 0;

  constructor(startedAt: number, now: () => number) {
    this.startedAt = startedAt;
    this.#answeredAt = startedAt;
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
    this.#resolvedAt = this.#now();
  }

  /** Notes a part of the request's body that was sent to the upstream, by its length. */
  onUpload(bytes: number): void {
    this.#receivedBytes += bytes;
  }

  /** Notes that the head of the response is ready. */
  onAnswer(): void {
    this.#answeredAt = this.#now();
  }

  /** "miss" if a lookup went beyond the cache in process; undefined if nothing was looked up. */
  get cache(): "hit" | "miss" | undefined {
    if (this.#missedCache === undefined) return undefined;
    return this.#missedCache ? "miss" : "hit";
  }

  /** When the destination was known; undefined if it never was. */
  get resolvedAt(): number | undefined {
    return this.#resolvedAt;
  }

  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Bytes of content sent to the upstream. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /**
   * The value of Server-Timing (W3C Server Timing): `resolve` is the time that the gate and the lookup of the
   * destination took, `upstream` the time until the upstream's response began, both in milliseconds.
   */
  serverTiming(): string {
    const { startedAt, cache } = this;
    const resolvedAt = this.#resolvedAt ?? this.#answeredAt;
    const metrics = [`resolve;dur=${resolvedAt - startedAt}`];
    if (cache !== undefined) metrics.unshift(`cache;desc=${cache}`);
    if (this.#resolvedAt !== undefined) {
      metrics.push(`upstream;dur=${this.#answeredAt - resolvedAt}`);
    }
    return metrics.join(", ");
  }
}
