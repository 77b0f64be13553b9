/** A log whose events a test can read and wait for. */
import type { EventLog } from "../../src/server/event_log.ts";

/** What was logged, and how to wait for more of it. */
export interface RecordedLog {
  readonly log: EventLog;
  /** What happened so far, in order. */
  readonly events: () => string[];
  /** The facts of the first event of that name, now or later. */
  readonly next: (event: string) => Promise<Record<string, unknown>>;
}

/** Creates a log that remembers. */
export function recordedLog(): RecordedLog {
  const records: { event: string; facts: Record<string, unknown> }[] = [];
  const waiting = new Map<string, (facts: Record<string, unknown>) => void>();
  function record(event: string, facts: Record<string, unknown> = {}): void {
    records.push({ event, facts });
    waiting.get(event)?.(facts);
    waiting.delete(event);
  }
  return {
    log: { info: record, warn: record, error: record },
    events: () => records.map(({ event }) => event),
    next(event) {
      const known = records.find((record) => record.event === event);
      if (known !== undefined) return Promise.resolve(known.facts);
      return new Promise((resolve) => waiting.set(event, resolve));
    },
  };
}
