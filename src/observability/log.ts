/** Logging by LogTape: one line per event, written in batches so that no request waits for a log. */
import {
  configure,
  dispose,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
  type Sink,
  type TextFormatter,
} from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { ERRORS } from "../error_codes.ts";
import type { GatewayError } from "../errors.ts";
import { describeError } from "../lib/describe_error.ts";
import type { LineWriter } from "./line_writer.ts";

export type { Logger };

/** The logger of one subsystem; silent until {@linkcode startLogging} has been called. */
export function loggerFor(subsystem: string): Logger {
  return getLogger(["porthole", subsystem]);
}

/** The subsystem whose lines say who opened or changed what; it has a level of its own (`AUDIT_LOG`). */
export const AUDIT = "audit";

/** True if a failure concerns the operator, or at least shows what became of a sandbox. */
export function isLogged({ code }: GatewayError): boolean {
  return ERRORS[code].fault !== "client";
}

export interface RequestFacts {
  readonly requestId: string;
  readonly sandboxId?: string | undefined;
  readonly port?: number | undefined;
  readonly traceId?: string | undefined;
}

/**
 * Logs why a request failed, which only the operator may know: at level info if it was refused or the sandbox was not
 * ready for it, as a warning if it could not be served, and as an error, with the stack, if that was unexpected.
 */
export function logFailure(
  logger: Logger,
  failure: GatewayError,
  request: RequestFacts,
): void {
  const { code, cause } = failure;
  const facts = { ...request, code, reason: describeError(failure) };
  const { fault } = ERRORS[code];
  if (fault === "sandbox") logger.info("request failed", facts);
  else if (fault === "client") logger.info("request refused", facts);
  else if (fault === "operator") logger.warn("request failed", facts);
  else {
    const stack = cause instanceof Error ? cause.stack : undefined;
    logger.error("request failed", { ...facts, stack });
  }
}

/** Creates a generator of short, unique request ids, cheap enough for every request: a random prefix, then a counter. */
export function createRequestIds(): () => string {
  const prefix = crypto.randomUUID().slice(0, 8);
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}

function formatterOf(format: Config["log"]["format"]): TextFormatter {
  return format === "json"
    ? getJsonLinesFormatter({ properties: "flatten", message: "rendered" })
    : getTextFormatter({
      timestamp: "time",
      format: ({ timestamp, level, category, message, record }) => {
        const facts = Object.entries(record.properties)
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
        return [timestamp, level, category, message, ...facts].join(" ");
      },
    });
}

const listeners = new Set<Sink>();

/** The last warnings and errors, for those who begin to hear when they have been logged. */
const recent: LogRecord[] = [];

const MAX_RECENT = 20;

/** Has `sink` hear the last warnings and errors, and what is logged until the function that is returned is called. */
export function hearLog(sink: Sink): () => void {
  recent.forEach(sink);
  listeners.add(sink);
  return () => void listeners.delete(sink);
}

function tellListeners(record: LogRecord): void {
  if (record.level === "warning" || record.level === "error") {
    recent.push(record);
    if (recent.length > MAX_RECENT) recent.shift();
  }
  for (const listener of listeners) listener(record);
}

/** Starts logging to `lines`; resolves to a function that flushes and stops it. */
export async function startLogging(
  config:
    & Pick<Config["log"], "level" | "format">
    & Partial<Pick<Config["log"], "audit">>,
  lines: LineWriter,
): Promise<() => Promise<void>> {
  const format = formatterOf(config.format);
  await configure({
    reset: true,
    sinks: {
      output(record) {
        lines.write(format(record));
        tellListeners(record);
      },
    },
    loggers: [
      { category: "porthole", lowestLevel: config.level, sinks: ["output"] },
      {
        category: ["porthole", AUDIT],
        lowestLevel: config.audit === false ? null : "info",
        parentSinks: "override",
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
