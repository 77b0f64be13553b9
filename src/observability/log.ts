/** Logging: LogTape, one line an event, written in batches so that a request never waits for a log. */
import {
  configure,
  dispose,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type Logger,
  type TextFormatter,
} from "@logtape/logtape";
import type { Config } from "../config.ts";
import type { GatewayError } from "../errors.ts";
import type { LineWriter } from "./line_writer.ts";
import { describeError } from "../lib/describe_error.ts";

export type { Logger };

/** The gateway's logger for one subsystem; silent until {@linkcode startLogging} was called. */
export function loggerFor(subsystem: string): Logger {
  return getLogger(["porthole", subsystem]);
}

/** Logs why a request failed: what only the operator may know, as a warning where it is not the client's doing. */
export function logFailure(
  logger: Logger,
  failure: GatewayError,
  requestId: string,
): void {
  const { code } = failure;
  const facts = { requestId, code, reason: describeError(failure) };
  if (failure.status < 500) logger.info("request refused", facts);
  else if (code !== "internal") logger.warn("request failed", facts);
  else {
    const { cause } = failure;
    const stack = cause instanceof Error ? cause.stack : undefined;
    logger.error("request failed", { ...facts, stack });
  }
}

function formatterOf(format: Config["log"]["format"]): TextFormatter {
  return format === "json"
    ? getJsonLinesFormatter({ properties: "flatten", message: "rendered" })
    : getTextFormatter({
      timestamp: "time",
      format: ({ timestamp, level, category, message, record }) =>
        [
          `${timestamp} ${level} ${category} ${message}`,
          ...Object.entries(record.properties)
            .filter(([, value]) => value !== undefined)
            .map(([name, value]) => `${name}=${JSON.stringify(value)}`),
        ].join(" "),
    });
}

/** Starts logging to `lines`; resolves to a function that writes what is left and stops it. */
export async function startLogging(
  config: Config["log"],
  lines: LineWriter,
): Promise<() => Promise<void>> {
  const format = formatterOf(config.format);
  await configure({
    reset: true,
    sinks: { output: (record) => lines.write(format(record)) },
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
  return async () => {
    await lines.flush();
    await dispose();
  };
}
