/** Calls to Daytona's API: retries, one deadline for all attempts, and the meaning of a response. */
import type { z } from "zod";
import type { operations } from "../../gen/daytona.ts";
import type { Config } from "../config/config.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { retry, type Sleep, sleep as realSleep } from "../lib/backoff.ts";
import type { ApiCallFacts } from "../observability/metrics/facts.ts";
import { fetchFailure } from "../platform/fetch_failure.ts";
import type { ApiQuota } from "./quota.ts";

/** Whose credential a call carries: a 401 is an answer about a user's, but our own fault if it is the gateway's. */
export type CredentialOwner = "gateway" | "user";

/** A call of one operation of the API. */
export interface ApiRequest<T> {
  readonly operation: keyof operations;
  readonly credentialOf: CredentialOwner;
  readonly headers?: Record<string, string>;
  /** Deadline for all attempts, ms; the configured one unless given. */
  readonly timeoutMs?: number;
  /** Most attempts; 3 unless given. */
  readonly maxTries?: number;
  /** Sends the request once. */
  readonly send: (init: ApiRequestInit) => Promise<Reply>;
  /** Called with the status of every answer, and the body of a refusal, unless it is only some web server's page. */
  readonly onStatus?: (
    status: number,
    refusal: unknown,
    headers: Headers,
  ) => void;
  /** Parses the body of a success. */
  readonly schema: z.ZodType<T>;
}

/** The parts of a request that {@linkcode ApiCaller} supplies. */
export interface ApiRequestInit {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** The result of a call by openapi-fetch. */
export interface Reply {
  readonly data?: unknown;
  /** The body of an answer that is no success; parsed if it is JSON. */
  readonly error?: unknown;
  readonly response: Response;
}

/** Dependencies of {@linkcode ApiCaller} besides its configuration. */
export interface ApiCallerOptions {
  /** Fails every call in flight. */
  readonly closing: AbortSignal;
  /** Called once for every call, at its end. */
  readonly onCall: (call: ApiCallFacts) => void;
  /** What the API lets the gateway's own key ask; without a limit unless given. */
  readonly quota?: ApiQuota;
  /** Waits between attempts. */
  readonly sleep?: Sleep;
}

const TRIES = 3;
const BACKOFF = { baseMs: 150, maxMs: 1000 };

/** Makes calls of up to three attempts, 150 ms to 1 s apart, within one deadline. */
export class ApiCaller {
  readonly #timeoutMs: number;
  readonly #closing: AbortSignal;
  readonly #onCall: (call: ApiCallFacts) => void;
  readonly #quota: ApiQuota | undefined;
  readonly #sleep: Sleep;
  /** Aborts each call in flight. They share one listener, as the signal outlives thousands of calls. */
  readonly #inFlight = new Set<() => void>();

  constructor(
    { timeoutMs }: Pick<Config["daytona"], "timeoutMs">,
    options: ApiCallerOptions,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#closing = options.closing;
    this.#onCall = options.onCall;
    this.#quota = options.quota;
    this.#sleep = options.sleep ?? realSleep;
    this.#closing.addEventListener("abort", () => {
      for (const abort of this.#inFlight) abort();
    });
  }

  /**
   * Calls the API until it gives a definite answer: a value, or null for its "no".
   *
   * @throws {GatewayError} `user_throttled` or `api_throttled` if the API throttles whoever asks, and `api_unreachable`
   * if it gives no answer either; message and cause contain no address and no credential
   */
  async callApi<T>(request: ApiRequest<T>): Promise<T | null> {
    const { operation, timeoutMs = this.#timeoutMs } = request;
    const quota = usesOwnKey(request) ? this.#quota : undefined;
    quota?.check();
    const startedAt = performance.now();
    let outcome: ApiCallFacts["outcome"] = "failed";
    let tries = 0;
    const controller = new AbortController();
    const { signal } = controller;
    const abort = () => controller.abort();
    const timer = setTimeout(abort, timeoutMs);
    this.#inFlight.add(abort);
    if (this.#closing.aborted) abort();
    try {
      const answer = await retry((attemptNumber) => {
        tries = attemptNumber;
        return attempt(request, signal, quota);
      }, {
        tries: request.maxTries ?? TRIES,
        ...BACKOFF,
        sleep: (ms) => this.#sleep(ms, signal),
        retryable: (error) =>
          error instanceof ApiFailure && error.isTransient && !signal.aborted,
      });
      outcome = answer === null ? "no" : "ok";
      return answer;
    } catch (cause) {
      const failure = signal.aborted ? this.#abortFailure(timeoutMs) : cause;
      if (!(failure instanceof ApiFailure)) throw cause;
      const { message, retryAfterSec } = failure;
      throw new GatewayError(
        codeOf(failure, request.credentialOf),
        `Daytona API, ${operation}: ${message}`,
        { cause, retryAfterSec },
      );
    } finally {
      clearTimeout(timer);
      this.#inFlight.delete(abort);
      const durationMs = performance.now() - startedAt;
      this.#onCall({ operation, outcome, durationMs, tries });
    }
  }

  #abortFailure(timeoutMs: number): ApiFailure {
    return new ApiFailure(
      this.#closing.aborted
        ? "the gateway is closing"
        : `no answer within ${timeoutMs} ms`,
    );
  }
}

/** True if a call carries the gateway's own key. */
function usesOwnKey({ credentialOf, headers }: ApiRequest<unknown>): boolean {
  return credentialOf === "gateway" && headers !== undefined;
}

/** The meaning of a status: `yes` and `no` are definite; `failed` is neither, and not worth another attempt. */
export type StatusClass = "yes" | "no" | "retry" | "failed";

/**
 * Interprets a status (RFC 9110 section 15). A redirect is a failure, because a key must only be sent where it was
 * configured to go. A throttled call (429, RFC 6585 section 4) is not retried.
 *
 * @example
 * ```ts
 * classifyStatus(404, "gateway"); // "no"
 * classifyStatus(401, "user"); // "no"
 * classifyStatus(401, "gateway"); // "failed": the gateway's own key is refused
 * ```
 */
export function classifyStatus(
  status: number,
  credentialOf: CredentialOwner,
): StatusClass {
  if (status === 200 || status === 201) return "yes";
  if (status === 408 || status >= 500) return "retry";
  if (status === 429 || (status === 401 && credentialOf === "gateway")) {
    return "failed";
  }
  return status >= 400 ? "no" : "failed";
}

/** An attempt that gave no definite answer. */
class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** True if another attempt may succeed. */
  readonly isTransient: boolean;
  /** True if the API has had too many requests (429, RFC 6585 section 4). */
  readonly isThrottled: boolean;
  readonly retryAfterSec: number | undefined;

  constructor(
    reason: string,
    options: {
      isTransient?: boolean;
      isThrottled?: boolean;
      retryAfterSec?: number | undefined;
    } = {},
  ) {
    super(reason);
    this.isTransient = options.isTransient ?? false;
    this.isThrottled = options.isThrottled ?? false;
    this.retryAfterSec = options.retryAfterSec;
  }
}

/** Throttling is the doing of whoever's credential it is: of the client, or of this gateway and its visitors together. */
function codeOf(
  { isThrottled }: ApiFailure,
  credentialOf: CredentialOwner,
): ErrorCode {
  if (!isThrottled) return "api_unreachable";
  return credentialOf === "user" ? "user_throttled" : "api_throttled";
}

/** @throws {ApiFailure} if the response is no definite answer */
async function attempt<T>(
  request: ApiRequest<T>,
  signal: AbortSignal,
  quota: ApiQuota | undefined,
): Promise<T | null> {
  const { data, error, response } = await send(request, signal);
  const { status, headers } = response;
  quota?.note(response);
  const kind = classifyStatus(status, request.credentialOf);
  // The API's own refusals are JSON, and its good answers fit their schema.
  if (kind !== "yes" && !isPage(response)) {
    request.onStatus?.(status, error, headers);
  }
  if (kind === "no") return null;
  if (kind !== "yes") {
    throw new ApiFailure(`status ${status}`, {
      isThrottled: status === 429,
      isTransient: kind === "retry",
      retryAfterSec: retryAfterSecOf(response),
    });
  }
  const parsed = request.schema.safeParse(data);
  if (parsed.success) {
    request.onStatus?.(status, undefined, headers);
    return parsed.data;
  }
  const members = parsed.error.issues.map(({ path }) =>
    path.join(".") || "body"
  );
  throw new ApiFailure(`malformed answer: ${members.join(", ")}`, {
    isTransient: true,
  });
}

/** @throws {ApiFailure} if there is no response, or its body cannot be read */
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
    throw new ApiFailure(reasonOf(error), { isTransient: true });
  }
}

function isPage({ headers }: Response): boolean {
  return /^text\/html\b/i.test(headers.get("content-type") ?? "");
}

/**
 * Why there is no reply, safe to log: the errors of `fetch` contain the whole URL, with the token in it, and those of a
 * JSON parser quote the text that it failed on, which may be a runner's key.
 */
function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) {
    return "the body is not JSON; is the base URL complete, such as https://daytona.example.com/api?";
  }
  return fetchFailure(error);
}

/** Retry-After (RFC 9110 section 10.2.3), or that of a quota: `Retry-After-authenticated` is the API's for users. */
const RETRY_AFTER = /^retry-after(-[a-z-]+)?$/;

/** The longest wait that a response asks for, seconds; the API does not use the date form. */
function retryAfterSecOf({ headers }: Response): number | undefined {
  const waits = [...headers]
    .filter(([name, value]) =>
      RETRY_AFTER.test(name) && /^\d{1,5}$/.test(value)
    )
    .map(([, value]) => Number(value));
  return waits.length === 0 ? undefined : Math.max(...waits);
}
