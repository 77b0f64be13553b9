/** Logging: LogTape, one line an event, written in batches so that a request never waits for a log. */
import {
  configure,
  dispose,
  getJsonLinesFormatter,
  getLogger,
  getStreamSink,
  getTextFormatter,
  type Logger,
  type TextFormatter,
} from "@logtape/logtape";
import type { Config } from "../config.ts";

export type { Logger };

/** The gateway's logger for one subsystem; silent until {@linkcode startLogging} was called. */
export function loggerFor(subsystem: string): Logger {
  return getLogger(["porthole", subsystem]);
}

/** Milliseconds for which lines may wait to be written together. */
const FLUSH_INTERVAL_MS = 100;

function formatterOf(format: Config["log"]["format"]): TextFormatter {
  return format === "json"
    ? getJsonLinesFormatter({ properties: "flatten", message: "rendered" })
    : getTextFormatter({ timestamp: "time", level: "FULL" });
}

/** Starts logging to `output`; resolves to a function that writes what is left and stops it. */
export async function startLogging(
  config: Config["log"],
  output: WritableStream<Uint8Array>,
): Promise<() => Promise<void>> {
  await configure({
    reset: true,
    sinks: {
      output: getStreamSink(output, {
        formatter: formatterOf(config.format),
        nonBlocking: { bufferSize: 200, flushInterval: FLUSH_INTERVAL_MS },
      }),
    },
    loggers: [
      {
        category: "porthole",
        lowestLevel: config.level,
        sinks: ["output"],
      },
      {
        category: ["logtape", "meta"],
        lowestLevel: "warning",
        sinks: ["output"],
      },
    ],
  });
  return dispose;
}
