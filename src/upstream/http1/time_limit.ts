import { UpstreamError, type UpstreamErrorCode } from "../upstream_error.ts";

/** The time that an operation may take. */
export interface TimeLimit {
  /** Milliseconds; 0 for no limit. */
  readonly ms: number;
  /** The code of the failure once the time is up. */
  readonly code: UpstreamErrorCode;
}

/** The deadline of an operation that starts `now`; Infinity without a limit. */
export function deadlineOf({ ms }: TimeLimit, now: number): number {
  return ms > 0 ? now + ms : Infinity;
}

/** The failure of an operation that exceeded its limit. */
export function timeoutError({ ms, code }: TimeLimit): UpstreamError {
  return new UpstreamError(code, `timed out after ${ms} ms`);
}
