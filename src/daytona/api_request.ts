import type { z } from "zod";
import type { operations } from "../../gen/daytona.ts";
import { GatewayError } from "../errors.ts";
import { retry, type Sleep, sleep as realSleep } from "../lib/backoff.ts";
import type { ApiCallFacts } from "../observability/metrics/facts.ts";

/** Whose credential a call carries: a 401 is an answer about a user's, but our own fault if it is the gateway's. */
export type CallerKind = "gateway" | "user";

/** A call of one operation of the API. */
export interface ApiRequest<T> {
  readonly operation: keyof operations;
  readonly caller: CallerKind;
  readonly headers?: Record<string, string>;
  /** Sends the request once. */
  readonly send: (init: ApiRequestInit) => Promise<Reply>;
  /** Called with the status of every answer, unless it is only some web server's page. */
  readonly onStatus?: (status: number) => void;
  /** Parses the body of a success. */
  readonly schema: z.ZodType<T>;
}

/** The parts of a request that {@linkcode Ask} supplies. */
export interface ApiRequestInit {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** The result of a call by openapi-fetch. */
export interface Reply {
  readonly data?: unknown;
  readonly response: Response;
}

/**
 * Calls the API until it gives a definite answer: a value, or null for its "no".
 *
 * @throws {GatewayError} `api_unreachable` if it gives none; message and cause contain no address and no credential
 */
export type Ask = <T>(request: ApiRequest<T>) => Promise<T | null>;

/** Settings of {@linkcode createAsk}. */
export interface AskOptions {
  /** Deadline of one call, including all attempts and the pauses between them, ms. */
  readonly timeoutMs: number;
  /** Fails every call in flight. */
  readonly closing: AbortSignal;
  /** Called once for every call, at its end. */
  readonly onCall: (call: ApiCallFacts) => void;
  /** A monotonic clock, ms. */
  readonly now?: () => number;
  readonly sleep?: Sleep;
  readonly random?: () => number;
}

/** Creates a function that makes up to three attempts, 150 ms to 1 s apart, within one deadline. */
export function createAsk(options: AskOptions): Ask {
  const { timeoutMs, closing, onCall } = options;
  const { sleep = realSleep, random = Math.random } = options;
  const { now = () => performance.now() } = options;
  /** Aborts each call in flight. They share one listener, as the signal outlives thousands of calls. */
  const inFlight = new Set<() => void>();
  closing.addEventListener("abort", () => {
    for (const abort of inFlight) abort();
  });

  return async function ask(request) {
    const startedAt = now();
    let outcome: ApiCallFacts["outcome"] = "failed";
    let tries = 0;
    const controller = new AbortController();
    const { signal } = controller;
    const abort = () => controller.abort();
    const timer = setTimeout(abort, timeoutMs);
    inFlight.add(abort);
    if (closing.aborted) abort();
    try {
      const answer = await retry((attemptNumber) => {
        tries = attemptNumber;
        return attempt(request, signal);
      }, {
        tries: 3,
        baseMs: 150,
        maxMs: 1000,
        random,
        sleep: (ms) => sleep(ms, signal),
        retryable: (error) =>
          error instanceof Failure && error.transient && !signal.aborted,
      });
      outcome = answer === null ? "no" : "ok";
      return answer;
    } catch (cause) {
      const failure = abortReason(signal) ?? cause;
      if (!(failure instanceof Failure)) throw cause;
      const { message, retryAfterSec, isUserThrottled } = failure;
      throw new GatewayError(
        "api_unreachable",
        `Daytona API, ${request.operation}: ${message}`,
        { cause, retryAfterSec, isUserThrottled },
      );
    } finally {
      clearTimeout(timer);
      inFlight.delete(abort);
      const { operation } = request;
      onCall({ operation, outcome, durationMs: now() - startedAt, tries });
    }
  };

  function abortReason(signal: AbortSignal): Failure | undefined {
    const reason = closing.aborted
      ? "the gateway is closing"
      : signal.aborted
      ? `no answer within ${timeoutMs} ms`
      : undefined;
    return reason === undefined
      ? undefined
      : new Failure(reason, { transient: false });
  }
}

/** The meaning of a status: `yes` and `no` are definite; `again` is retried; `failed` is neither. */
export type StatusVerdict = "yes" | "no" | "again" | "failed";

/**
 * Interprets a status (RFC 9110 section 15). A redirect is a failure, because a key must only be sent where it was
 * configured to go. A throttled call (429, RFC 6585 section 4) is not retried.
 */
export function verdictOn(status: number, caller: CallerKind): StatusVerdict {
  if (status === 200 || status === 201) return "yes";
  if (status === 408 || status >= 500) return "again";
  if (status === 429 || (status === 401 && caller === "gateway")) {
    return "failed";
  }
  return status >= 400 ? "no" : "failed";
}

/** An attempt that gave no definite answer. */
class Failure extends Error {
  override readonly name = "Failure";
  /** Whether another attempt may succeed. */
  readonly transient: boolean;
  readonly retryAfterSec: number | undefined;
  readonly isUserThrottled: boolean;

  constructor(
    reason: string,
    options: {
      transient: boolean;
      retryAfterSec?: number | undefined;
      isUserThrottled?: boolean;
    },
  ) {
    super(reason);
    this.isUserThrottled = options.isUserThrottled ?? false;
    this.transient = options.transient;
    this.retryAfterSec = options.retryAfterSec;
  }
}

async function attempt<T>(
  request: ApiRequest<T>,
  signal: AbortSignal,
): Promise<T | null> {
  const { data, response } = await send(request, signal);
  const verdict = verdictOn(response.status, request.caller);
  // The API's own refusals are JSON, and its good answers fit their schema.
  if (verdict !== "yes" && !isPage(response)) {
    request.onStatus?.(response.status);
  }
  if (verdict === "no") return null;
  if (verdict !== "yes") {
    throw new Failure(`status ${response.status}`, {
      // If the API throttles the gateway's own key, any client may be the one that notices.
      isUserThrottled: response.status === 429 && request.caller === "user",
      transient: verdict === "again",
      retryAfterSec: retryAfterSecOf(response),
    });
  }
  const parsed = request.schema.safeParse(data);
  if (parsed.success) {
    request.onStatus?.(response.status);
    return parsed.data;
  }
  const fields = parsed.error.issues.map(({ path }) =>
    path.join(".") || "body"
  );
  throw new Failure(`malformed answer: ${fields.join(", ")}`, {
    transient: true,
  });
}

function isPage({ headers }: Response): boolean {
  return /^text\/html\b/i.test(headers.get("content-type") ?? "");
}

async function send<T>(
  request: ApiRequest<T>,
  signal: AbortSignal,
): Promise<Reply> {
  try {
    const reply = await request.send({
      headers: request.headers ?? {},
      signal,
    });
    // openapi-fetch leaves an empty body unread, which would keep its connection busy.
    if (!reply.response.bodyUsed) await reply.response.body?.cancel();
    return reply;
  } catch (error) {
    throw new Failure(reasonOf(error), { transient: true });
  }
}

/**
 * Why there is no reply, safe to log: the runtime's errors contain the whole URL, with the token in it, and those of a
 * JSON parser quote the text that it failed on, which may be a runner's key.
 */
function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) {
    return "the body is not JSON; is the base URL complete, such as https://daytona.example.com/api?";
  }
  const { cause = error } = error instanceof Error ? error : {};
  return String(cause).replaceAll(/\(?https?:\/\/\S+/gi, "(url)");
}

/** Retry-After in seconds (RFC 9110 section 10.2.3); the API does not use its date form. */
function retryAfterSecOf(response: Response): number | undefined {
  const value = response.headers.get("retry-after") ?? "";
  return /^\d{1,5}$/.test(value) ? Number(value) : undefined;
}
