/**
 * The access log: one record per finished exchange. It names the sandbox, and the name by which it was asked for: never
 * another host, which may be a signed link, the target or a credential.
 */
import type { Config } from "../config/config.ts";
import type { LineWriter } from "./line_writer.ts";
import { loggerFor } from "./log.ts";
import { CLIENT_CLOSED_REQUEST, type ExchangeFacts } from "./metrics/facts.ts";

/** Kinds of routes in the log; the gateway's own answers are counted, but not logged here. */
export type RouteKind = Exclude<ExchangeFacts["route"], "control">;

export interface ExchangeRecord extends ExchangeFacts {
  readonly requestId: string;
  readonly route: RouteKind;
  readonly method: string;
  /** Why it did not end completely, if that is known. */
  readonly reason: string | undefined;
  readonly sandboxId: string | undefined;
  /** Whose sandbox it is; undefined unless the API has told, and the request went there. */
  readonly organizationId?: string | undefined;
  readonly port: number | undefined;
  /** The name that was asked for in place of a preview host, without a port; undefined if none was. */
  readonly name: string | undefined;
  /** Logged only if the configuration says so. */
  readonly clientAddress: string;
  /** The ground for access: the kind of credential, or `public`; undefined if it was not granted. */
  readonly by: string | undefined;
  /** Who it was, in the words of subjects.ts; undefined if that is not known, or nobody is named. */
  readonly subject: string | undefined;
  /** The trace that it was part of (W3C Trace Context, `trace-id`); undefined if none. */
  readonly traceId?: string | undefined;
  /** Set by the log if the line stands for so many successes. */
  readonly oneIn?: number;
  /** "miss" if a lookup had to go beyond the in-process cache; undefined if nothing was looked up. */
  readonly cache: "hit" | "miss" | undefined;
}

function factsOf(
  { clientAddress, isFromApp: _, ...record }: ExchangeRecord,
  withAddress: boolean,
) {
  const { startedAt, resolvedAt, answeredAt, endedAt, ...facts } = record;
  return {
    ...facts,
    ...withAddress && { clientAddress },
    ...resolvedAt !== undefined && { resolvedMs: resolvedAt - startedAt },
    firstByteMs: answeredAt - startedAt,
    totalMs: endedAt - startedAt,
  };
}

/** Formats milliseconds since the epoch; under load the same one comes a hundred times in a row. */
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

type Write = (record: ExchangeRecord) => void;

/** Creates the access log. */
export function createAccessLog(
  config: Pick<Config["log"], "format" | "clientAddress" | "access">,
  lines: LineWriter | undefined,
): Write {
  const { access } = config;
  if (access === "off") return () => {};
  const write = createWriter(config, lines);
  if (access === 1) return write;
  let successes = 0;
  return (record) => {
    if (isFailure(record)) return write(record);
    if (access === "errors" || ++successes % access !== 0) return;
    write({ ...record, oneIn: access });
  };
}

/** True for 4xx and 5xx, and for what broke off; not if only the client has left, as it leaves a stream of events. */
function isFailure(
  { status, end }: Pick<ExchangeRecord, "status" | "end">,
): boolean {
  return status >= 400 && status !== CLIENT_CLOSED_REQUEST ||
    end !== "complete" && end !== "client_gone";
}

/** Creates what writes the lines. Those of JSON bypass the log library, which would cost as much as forwarding requests. */
function createWriter(
  config: Pick<Config["log"], "format" | "clientAddress">,
  lines: LineWriter | undefined,
): Write {
  const logger = loggerFor("access");
  const { format, clientAddress: withAddress } = config;
  if (format === "pretty" || lines === undefined) {
    return (record) => logger.info("request", factsOf(record, withAddress));
  }
  if (!logger.isEnabledFor("info")) return () => {};
  const timestamp = createTimestamps();
  return (record) =>
    lines.write(jsonLine(record, timestamp(record.endedAt), withAddress));
}

/**
 * The record as a line of JSON, concatenated by hand, which takes a third of the time of JSON.stringify. All strings but
 * the reason, the subject and the organization are constants of ours, ids, hosts or tokens (RFC 9110 section 5.6.2):
 * nothing to escape.
 */
function jsonLine(
  record: ExchangeRecord,
  timestamp: string,
  withAddress: boolean,
): string {
  const { startedAt, resolvedAt, answeredAt, sandboxId, tunnel } = record;
  const totalMs = record.endedAt - startedAt;
  let line =
    `{"@timestamp":"${timestamp}","level":"INFO","message":"request","logger":"porthole.access"` +
    `,"requestId":"${record.requestId}","route":"${record.route}"` +
    `,"method":"${record.method}","status":${record.status},"end":"${record.end}"`;
  if (record.reason !== undefined) {
    line += `,"reason":${JSON.stringify(record.reason)}`;
  }
  if (sandboxId !== undefined) line += `,"sandboxId":"${sandboxId}"`;
  if (record.organizationId !== undefined) {
    line += `,"organizationId":${JSON.stringify(record.organizationId)}`;
  }
  if (record.port !== undefined) line += `,"port":${record.port}`;
  if (record.name !== undefined) line += `,"name":"${record.name}"`;
  if (withAddress) line += `,"clientAddress":"${record.clientAddress}"`;
  if (record.by !== undefined) line += `,"by":"${record.by}"`;
  if (record.subject !== undefined) {
    line += `,"subject":${JSON.stringify(record.subject)}`;
  }
  if (record.traceId !== undefined) line += `,"traceId":"${record.traceId}"`;
  if (record.cache !== undefined) line += `,"cache":"${record.cache}"`;
  if (record.error !== undefined) line += `,"error":"${record.error}"`;
  if (tunnel !== undefined) line += `,"tunnel":${JSON.stringify(tunnel)}`;
  if (record.oneIn !== undefined) line += `,"oneIn":${record.oneIn}`;
  line +=
    `,"receivedBytes":${record.receivedBytes},"sentBytes":${record.sentBytes}`;
  if (resolvedAt !== undefined) {
    line += `,"resolvedMs":${resolvedAt - startedAt}`;
  }
  line += `,"firstByteMs":${answeredAt - startedAt},"totalMs":${totalMs}}\n`;
  return line;
}
