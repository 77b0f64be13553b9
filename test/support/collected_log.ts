/** The log of this process, whose lines a test can inspect and wait for. */
import type { LineWriter } from "../../src/observability/line_writer.ts";
import { startLogging } from "../../src/observability/log.ts";

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The log since this was created; disposing of it stops logging. */
export interface CollectedLog extends AsyncDisposable {
  /** For the access log, which bypasses the log library. */
  readonly lines: LineWriter;
  records(): LogLine[];
  /** Resolves to the first line with a message, past or future. */
  next(message: string): Promise<LogLine>;
}

/** Starts logging to memory. */
export async function collectLog(): Promise<CollectedLog> {
  const records: LogLine[] = [];
  const waiting = new Map<string, (line: LogLine) => void>();
  const lines: LineWriter = {
    dropped: 0,
    write(line) {
      const record: LogLine = JSON.parse(line);
      records.push(record);
      const message = String(record.message);
      waiting.get(message)?.(record);
      waiting.delete(message);
    },
    flush: () => Promise.resolve(),
  };
  const stop = await startLogging({ level: "info", format: "json" }, lines);
  return {
    lines,
    records: () => records,
    next(message) {
      const known = records.find((record) => record.message === message);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => waiting.set(message, resolve));
    },
    [Symbol.asyncDispose]: stop,
  };
}
