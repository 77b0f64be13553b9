/** A log whose events a test can inspect and wait for. */
import { type Logger, loggerFor } from "../../src/observability/log.ts";

/** A log and its events. */
export interface RecordedLog {
  readonly log: Logger;
  /** The names of the events so far, in order. */
  readonly events: () => string[];
  /** Resolves to the facts of the first event of a name, past or future. */
  readonly next: (event: string) => Promise<Record<string, unknown>>;
}

/** Creates a log that records its events. */
export function recordedLog(): RecordedLog {
  const records: { event: string; facts: Record<string, unknown> }[] = [];
  const waiting = new Map<string, (facts: Record<string, unknown>) => void>();
  function record(event: string, facts: Record<string, unknown> = {}): void {
    records.push({ event, facts });
    waiting.get(event)?.(facts);
    waiting.delete(event);
  }
  const log: Logger = Object.assign(Object.create(loggerFor("test")), {
    info: record,
    warn: record,
    error: record,
  });
  return {
    log,
    events: () => records.map(({ event }) => event),
    next(event) {
      const known = records.find((record) => record.event === event);
      if (known !== undefined) return Promise.resolve(known.facts);
      return new Promise((resolve) => waiting.set(event, resolve));
    },
  };
}
