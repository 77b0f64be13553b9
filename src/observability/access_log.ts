/** The access log: one record a finished exchange. It names the sandbox, and never the host, target or a credential. */
import type { Logger } from "./log.ts";

/** How an exchange ended. */
export type ExchangeEnd =
  | "complete"
  | "client_gone"
  | "upstream_failed"
  /** By us: a drain, or access that ended. */
  | "aborted";

/** What is known of an exchange when it is over; durations in milliseconds. */
export interface ExchangeRecord {
  readonly requestId: string;
  readonly method: string;
  readonly status: number;
  readonly end: ExchangeEnd;
  readonly sandboxId: string | undefined;
  readonly port: number;
  /** What opened the door. */
  readonly by: string | undefined;
  /** Our error code, where the answer was ours. */
  readonly error?: string;
  /** What went through a tunnel, and who ended it. */
  readonly tunnel?: object;
  readonly startedAt: number;
  /** When the first byte of the answer was ready. */
  readonly answeredAt: number;
  readonly endedAt: number;
}

/** Writes records to `logger`. */
export function createAccessLog(
  logger: Logger,
): (record: ExchangeRecord) => void {
  return (record) => {
    if (!logger.isEnabledFor("info")) return;
    const { startedAt, answeredAt, endedAt, ...facts } = record;
    logger.info("request", {
      ...facts,
      firstByteMs: Math.round(answeredAt - startedAt),
      totalMs: Math.round(endedAt - startedAt),
    });
  };
}
