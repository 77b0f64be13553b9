import type { z } from "zod";
import type { operations } from "../../gen/daytona.ts";
import { GatewayError } from "../errors.ts";
import { retry, type Sleep, sleep as realSleep } from "../lib/backoff.ts";

/** Who asks: a refused credential (401) is the answer to a user, and a fault of ours where it is the gateway's own key. */
export type Asker = "gateway" | "user";

/** One call of the API. */
export interface Question<T> {
  readonly operation: keyof operations;
  readonly asker: Asker;
  readonly headers?: Record<string, string>;
  /** Sends the request once. */
  readonly send: (init: QuestionInit) => Promise<Reply>;
  /** Reads the body of a success. */
  readonly answer: z.ZodType<T>;
}

/** What {@linkcode Ask} adds to a request. */
export interface QuestionInit {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** What openapi-fetch resolves to. */
export interface Reply {
  readonly data?: unknown;
  readonly response: Response;
}

/**
 * Asks until there is a definite answer: the value, or null for the API's "no".
 *
 * @throws {GatewayError} `api_unreachable` where there is none; neither its reason nor its cause holds an address or a
 * credential.
 */
export type Ask = <T>(question: Question<T>) => Promise<T | null>;

/** A question that has come to its end, for metrics. */
export interface ApiCall {
  readonly operation: keyof operations;
  /** `failed` where there was no definite answer. */
  readonly outcome: "ok" | "no" | "failed";
  /** From the first try to the end, the pauses in between included. */
  readonly durationMs: number;
  /** How often it was sent. */
  readonly tries: number;
}

/** Settings of {@linkcode createAsk}. */
export interface AskOptions {
  /** Deadline of one question with all its tries and pauses, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends every question under way, without an answer. */
  readonly closing: AbortSignal;
  /** Hears of every question, once. */
  readonly onCall: (call: ApiCall) => void;
  /** A clock in milliseconds that never goes back. */
  readonly now?: () => number;
  readonly sleep?: Sleep;
  readonly random?: () => number;
}

/** Three tries, 150 ms to 1 s apart, under one deadline. */
export function createAsk(options: AskOptions): Ask {
  const { timeoutMs, closing, onCall } = options;
  const { sleep = realSleep, random = Math.random } = options;
  const { now = () => performance.now() } = options;
  /** Ends each question under way. One listener for all: their signal lasts, and they come and go by the thousand. */
  const underWay = new Set<() => void>();
  closing.addEventListener("abort", () => {
    for (const end of underWay) end();
  });

  return async function ask(question) {
    const startedAt = now();
    let outcome: ApiCall["outcome"] = "failed";
    let tries = 0;
    const ending = new AbortController();
    const { signal } = ending;
    const end = () => ending.abort();
    const timer = setTimeout(end, timeoutMs);
    underWay.add(end);
    if (closing.aborted) end();
    try {
      const answer = await retry((attemptNumber) => {
        tries = attemptNumber;
        return attempt(question, signal);
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
      const failure = endedBy(signal) ?? cause;
      if (!(failure instanceof Failure)) throw cause;
      const { message, retryAfterSec } = failure;
      throw new GatewayError(
        "api_unreachable",
        `Daytona API, ${question.operation}: ${message}`,
        { cause, ...retryAfterSec !== undefined && { retryAfterSec } },
      );
    } finally {
      clearTimeout(timer);
      underWay.delete(end);
      const { operation } = question;
      onCall({ operation, outcome, durationMs: now() - startedAt, tries });
    }
  };

  function endedBy(signal: AbortSignal): Failure | undefined {
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

/** What a status says: `yes` and `no` are definite, `again` and `failed` say nothing about the question. */
export type Verdict = "yes" | "no" | "again" | "failed";

/**
 * Reads a status (RFC 9110 section 15). A redirect is a failure, because a key must not travel where it was not
 * configured to go; a throttled call (429, RFC 6585 section 4) is not repeated.
 */
export function verdictOn(status: number, asker: Asker): Verdict {
  if (status === 200 || status === 201) return "yes";
  if (status === 408 || status >= 500) return "again";
  if (status === 429 || (status === 401 && asker === "gateway")) {
    return "failed";
  }
  return status >= 400 ? "no" : "failed";
}

/** An attempt without an answer. */
class Failure extends Error {
  override readonly name = "Failure";
  /** Whether another attempt can help. */
  readonly transient: boolean;
  readonly retryAfterSec: number | undefined;
  /** The HTTP status, if there was one. */
  readonly status: number | undefined;

  constructor(
    reason: string,
    options: {
      transient: boolean;
      retryAfterSec?: number | undefined;
      status?: number;
    },
  ) {
    super(reason);
    this.status = options.status;
    this.transient = options.transient;
    this.retryAfterSec = options.retryAfterSec;
  }
}

/** Whether a failure means that the API has had too many requests (429, RFC 6585 section 4). */
export function isThrottled(error: unknown): boolean {
  return error instanceof GatewayError && error.cause instanceof Failure &&
    error.cause.status === 429;
}

async function attempt<T>(
  question: Question<T>,
  signal: AbortSignal,
): Promise<T | null> {
  const { data, response } = await send(question, signal);
  const verdict = verdictOn(response.status, question.asker);
  if (verdict === "no") return null;
  if (verdict !== "yes") {
    throw new Failure(`status ${response.status}`, {
      status: response.status,
      transient: verdict === "again",
      retryAfterSec: retryAfterSecOf(response),
    });
  }
  const read = question.answer.safeParse(data);
  if (read.success) return read.data;
  const fields = read.error.issues.map(({ path }) => path.join(".") || "body");
  throw new Failure(`malformed answer: ${fields.join(", ")}`, {
    transient: true,
  });
}

async function send<T>(
  question: Question<T>,
  signal: AbortSignal,
): Promise<Reply> {
  try {
    const reply = await question.send({
      headers: question.headers ?? {},
      signal,
    });
    // openapi-fetch leaves an empty body unread, which would hold its connection.
    if (!reply.response.bodyUsed) await reply.response.body?.cancel();
    return reply;
  } catch (error) {
    throw new Failure(reasonOf(error), { transient: true });
  }
}

/**
 * Why there is no reply, fit for a log: the runtime puts the whole URL, with the token in it, into its errors, and a JSON
 * parser quotes the text that it stumbled over, which may be a runner's key.
 */
function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return "the body is not JSON";
  const { cause = error } = error instanceof Error ? error : {};
  return String(cause).replaceAll(/\(?https?:\/\/\S+/gi, "(url)");
}

/** Retry-After in seconds (RFC 9110 section 10.2.3); its date form is not used by the API. */
function retryAfterSecOf(response: Response): number | undefined {
  const value = response.headers.get("retry-after") ?? "";
  return /^\d{1,5}$/.test(value) ? Number(value) : undefined;
}
