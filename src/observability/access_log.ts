/** The access log: one record a finished exchange. It names the sandbox, and never the host, target or a credential. */
import type { Config } from "../config.ts";
import type { LineWriter } from "./line_writer.ts";
import { loggerFor } from "./log.ts";
import type { TunnelFacts } from "./metrics/facts.ts";

/** How an exchange ended. */
export type ExchangeEnd =
  | "complete"
  | "client_gone"
  /** By us: the client took nothing of its download any more. */
  | "client_stalled"
  | "upstream_failed"
  /** By us: a drain, or access that ended. */
  | "aborted";

/** What a request is for: the first word about it in logs and metrics. */
export type RouteKind = "preview" | "toolbox" | "build_logs";

/** What is known of an exchange when it is over; times in milliseconds since the epoch. */
export interface ExchangeRecord {
  readonly requestId: string;
  readonly route: RouteKind;
  readonly method: string;
  readonly status: number;
  readonly end: ExchangeEnd;
  readonly sandboxId: string | undefined;
  readonly port: number | undefined;
  /** What opened the door. */
  readonly by: string | undefined;
  /** Whether all that the API had to say was at hand; undefined where nothing was asked for. */
  readonly cache: "hit" | "miss" | undefined;
  /** Our error code, where the answer was ours. */
  readonly error: string | undefined;
  /** What went through a tunnel, and who ended it. */
  readonly tunnel: TunnelFacts | undefined;
  /** Octets of content, from and to the client. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly startedAt: number;
  /** When it was known which runner to ask; undefined where none was. */
  readonly resolvedAt: number | undefined;
  /** When the first byte of the answer was ready. */
  readonly answeredAt: number;
  readonly endedAt: number;
}

/** Takes the record of a finished exchange. */
export type AccessLog = (record: ExchangeRecord) => void;

function factsOf(record: ExchangeRecord) {
  const { startedAt, resolvedAt, answeredAt, endedAt, ...facts } = record;
  return {
    ...facts,
    ...(resolvedAt === undefined ? {} : { resolvedMs: resolvedAt - startedAt }),
    firstByteMs: answeredAt - startedAt,
    totalMs: endedAt - startedAt,
  };
}

/** Milliseconds since the epoch as text; the same one comes a hundred times in a row. */
function createTimestamps(): (ms: number) => string {
  let lastMs = NaN;
  let last = "";
  return (ms) => {
    if (ms !== lastMs) {
      lastMs = ms;
      last = new Date(ms).toISOString();
    }
    return last;
  };
}

/**
 * Creates the access log. As JSON its lines look like the other log lines but do not go through the log library, which
 * would cost as much as forwarding does.
 */
export function createAccessLog(
  config: Config["log"],
  lines: LineWriter | undefined,
): AccessLog {
  const logger = loggerFor("access");
  if (config.format === "pretty" || lines === undefined) {
    return (record) => logger.info("request", factsOf(record));
  }
  if (!logger.isEnabledFor("info")) return () => {};
  const timestamp = createTimestamps();
  return (record) => {
    lines.write(jsonLine(record, timestamp(record.endedAt)));
  };
}

/**
 * The record as a line of JSON, put together by hand: that takes a third of what JSON.stringify takes. All texts in it
 * are words of ours, ids or tokens (RFC 9110 section 5.6.2), none of which holds what JSON would have to escape.
 */
function jsonLine(record: ExchangeRecord, timestamp: string): string {
  const { startedAt, resolvedAt, answeredAt, tunnel } = record;
  let line =
    `{"@timestamp":"${timestamp}","level":"INFO","message":"request","logger":"porthole.access"` +
    `,"requestId":"${record.requestId}","route":"${record.route}"` +
    `,"method":"${record.method}","status":${record.status},"end":"${record.end}"`;
  if (record.sandboxId !== undefined) {
    line += `,"sandboxId":"${record.sandboxId}"`;
  }
  if (record.port !== undefined) line += `,"port":${record.port}`;
  if (record.by !== undefined) line += `,"by":"${record.by}"`;
  if (record.cache !== undefined) line += `,"cache":"${record.cache}"`;
  if (record.error !== undefined) line += `,"error":"${record.error}"`;
  if (tunnel !== undefined) line += `,"tunnel":${JSON.stringify(tunnel)}`;
  line +=
    `,"receivedBytes":${record.receivedBytes},"sentBytes":${record.sentBytes}`;
  if (resolvedAt !== undefined) {
    line += `,"resolvedMs":${resolvedAt - startedAt}`;
  }
  return `${line},"firstByteMs":${answeredAt - startedAt},"totalMs":${
    record.endedAt - startedAt
  }}\n`;
}
