/**
 * Has a program's request wait for a sandbox that starts, or for an app that does, in place of an answer that tells it to
 * come again. Only what may be sent again is held: without a body, and by an idempotent method (RFC 9110 section 9.2.2).
 * A browser's page waits by itself (see pages/waiting.ts). A held request counts against the same limits as others, and
 * ends with its client, its access or the gateway.
 */
import { UPLOAD_ERRORS } from "../../downstream/ends.ts";
import { ERRORS } from "../../error_codes.ts";
import { GatewayError } from "../../errors.ts";
import type { SandboxExchange } from "../../gateway/sandbox_exchange.ts";
import { isFromProgram } from "../../http/fetch_metadata.ts";
import { isIdempotent } from "../../http/idempotent.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { UpstreamError } from "../../upstream/upstream_error.ts";

const PAUSE_MS = 1000;

/** The part of an exchange that is held. */
export type HeldExchange = Pick<
  SandboxExchange,
  "request" | "lasts" | "method" | "headers" | "isWebSocket" | "body"
>;

/** Dependencies of {@linkcode Holds}. */
export interface HoldsOptions {
  /** Longest wait for each that can be waited for, ms; 0 for none. */
  readonly limitsMs: { readonly start: number; readonly port: number };
  readonly now: () => number;
}

type Reason = keyof HoldsOptions["limitsMs"];

/** Holds requests. */
export class Holds {
  readonly #options: HoldsOptions;
  readonly #pause: typeof pause;
  readonly #draining = new AbortController();
  /** Since when each exchange waits for what, ms. */
  readonly #since = new WeakMap<HeldExchange, Map<Reason, number>>();

  constructor(options: HoldsOptions, wait = pause) {
    this.#options = options;
    this.#pause = wait;
  }

  /** Waits if an attempt failed because of a start or a closed port; true if another one is worth it, false if not. */
  async wait(failure: unknown, x: HeldExchange): Promise<boolean> {
    const { limitsMs, now } = this.#options;
    const { signal } = this.#draining;
    const since = this.#since.get(x) ?? new Map<Reason, number>();
    const reason = reasonOf(failure, since.has("start"));
    if (reason === undefined || !mayWait(x)) return false;
    this.#since.set(x, since);
    const beganAt = since.get(reason) ?? now();
    since.set(reason, beganAt);
    const leftMs = beganAt + limitsMs[reason] - now();
    if (leftMs <= 0 || signal.aborted) return false;
    await this.#pause(x, Math.min(PAUSE_MS, leftMs), signal);
    return !signal.aborted;
  }

  /** Ends all that wait, and lets nobody wait any more: their clients have another gateway to ask. */
  startDraining(): void {
    this.#draining.abort();
  }
}

function reasonOf(error: unknown, hasWaited: boolean): Reason | undefined {
  if (!(error instanceof GatewayError)) return undefined;
  const { stage } = ERRORS[error.code];
  if (stage === "booting") return "port";
  const isStart = stage === "starting" || stage === "settling" && hasWaited;
  return isStart ? "start" : undefined;
}

function mayWait({ method, headers, isWebSocket, body }: HeldExchange) {
  return body === null && !isWebSocket && isIdempotent(method) &&
    isFromProgram(headers);
}

/**
 * Waits for a time, or until `end` is aborted.
 * @throws {GatewayError} if the caller loses access, or the gateway is closing
 * @throws {UpstreamError} `aborted` if the client has disconnected
 */
export async function pause(
  x: Pick<HeldExchange, "request" | "lasts">,
  ms: number,
  end: AbortSignal,
): Promise<void> {
  const { signal } = x.request;
  const { promise: cutOff, reject } = Promise.withResolvers<never>();
  const leave = () => reject(new UpstreamError("aborted", "Client has left"));
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave);
  x.lasts({
    abort: (reason) =>
      reject(new GatewayError(UPLOAD_ERRORS[reason], "Ended while waiting")),
  });
  try {
    await fulfilsWithin(cutOff, ms, end);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
