/** Calls of Daytona's API by the table in operations.ts: retries, and one deadline for all attempts. */
import type { z } from "zod";
import { DaytonaClient } from "../../gen/clients.ts";
import { isBearer } from "../address/grammar.ts";
import type { Config } from "../config/config.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { retry, type Sleep, sleep as realSleep } from "../lib/backoff.ts";
import type { ApiCallFacts } from "../observability/metrics/facts.ts";
import { ApiFailure, attempt, bounded, isUsers } from "./api_attempt.ts";
import { type ApiCredential, credentialHeaders } from "./credential.ts";
import type { ApiAnswer, Operation, OperationId, Params } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import type { ApiQuota } from "./quota.ts";
import { type KeyVerdict, keyVerdictOf } from "./service_key.ts";

export interface ApiCallerOptions {
  /** Fails every call in flight. */
  readonly closing: AbortSignal;
  /** Called once for every call, at its end. */
  readonly onCall: (call: ApiCallFacts) => void;
  /** Called for every answer that shows what the API makes of the gateway's own key. */
  readonly onKeyVerdict: (verdict: KeyVerdict) => void;
  /** What the API lets the gateway's own key ask; without a limit unless given. */
  readonly quota?: ApiQuota;
  readonly sleep?: Sleep;
  readonly fetch?: Fetch;
  /** Sends what has a secret in its URL; as everything else unless given. */
  readonly secretFetch?: Fetch;
}

/** Sends a request, and follows no redirect. */
type Fetch = (request: Request) => Promise<Response>;

type Rows = typeof OPERATIONS;

type AnswerOf<Id extends OperationId> =
  | z.output<Rows[Id]["answer"]>
  | ReturnType<Rows[Id]["no"]>;

/** The input of a call: the segments of the path, and by whose right it is made. */
export type Question<Id extends OperationId> = Params<Id> & {
  readonly by: Extract<ApiCredential, { kind: Rows[Id]["by"][number] }>;
  /** Called with the API's answer to every attempt. */
  readonly onAnswer?: ((answer: ApiAnswer) => unknown) | undefined;
};

const ROWS: { readonly [Id in OperationId]: Operation<Id, AnswerOf<Id>> } =
  OPERATIONS;

const TRIES = 3;
const BACKOFF = { baseMs: 150, maxMs: 1000 };

/** Makes calls of up to three attempts, 150 ms to 1 s apart, within one deadline. */
export class ApiCaller {
  readonly #config: Config["daytona"];
  readonly #options: ApiCallerOptions;
  readonly #client: DaytonaClient;
  readonly #secretClient: DaytonaClient;
  /** Aborts each call in flight. They share one listener, as the signal outlives thousands of calls. */
  readonly #inFlight = new Set<() => void>();

  /** @throws {TypeError} if the gateway's key cannot be sent in a header */
  constructor(config: Config["daytona"], options: ApiCallerOptions) {
    if (!isBearer(config.serviceKey)) {
      throw new TypeError("Cannot use 'serviceKey': it is not visible ASCII");
    }
    this.#config = config;
    this.#options = options;
    const { closing, fetch = globalThis.fetch } = options;
    this.#client = clientOf(config, fetch);
    this.#secretClient = options.secretFetch
      ? clientOf(config, options.secretFetch)
      : this.#client;
    closing.addEventListener("abort", () => {
      for (const abort of this.#inFlight) abort();
    });
  }

  /**
   * Calls the API until it gives a definite answer. What cannot be part of a call is answered "no" without one.
   * @throws {GatewayError} `user_throttled` or `api_throttled` if the API throttles whoever asks, and `api_unreachable`
   * if it gives no answer either; message and cause contain no address and no credential
   */
  async call<Id extends OperationId>(
    operation: Id,
    question: Question<Id>,
  ): Promise<AnswerOf<Id>> {
    const row = ROWS[operation];
    const { by, onAnswer } = question;
    const { success, data: params } = row.params.safeParse(question);
    const headers = credentialHeaders(by, this.#config.serviceKey);
    if (!success || !headers) return row.no({ status: "not sent" });
    const quota = by.kind === "own" ? this.#options.quota : undefined;
    quota?.check();
    const controller = new AbortController();
    const { signal } = controller;
    const send = async () => {
      const { parseAs = "json" } = row;
      const client = row.isSecret ? this.#secretClient : this.#client;
      const init = { params, headers, signal, parseAs } as const;
      const reply = await row.send(client, init);
      quota?.note(reply.response);
      return reply;
    };
    const tell = (answer: ApiAnswer) => {
      const verdict = keyVerdictOf(answer.status);
      if (by.kind === "own" && verdict && row.verdicts.includes(verdict)) {
        this.#options.onKeyVerdict(verdict);
      }
      onAnswer?.(answer);
    };
    let outcome: ApiCallFacts["outcome"] = "failed";
    let tries = 0;
    const startedAt = performance.now();
    const timeoutMs = row.timeoutMs ?? this.#config.timeoutMs;
    const abort = () => controller.abort();
    const timer = setTimeout(abort, timeoutMs);
    this.#inFlight.add(abort);
    if (this.#options.closing.aborted) abort();
    try {
      const { kind, answer } = await retry((attemptNumber) => {
        tries = attemptNumber;
        return attempt(row, { by: by.kind, send, onAnswer: tell });
      }, {
        tries: row.maxTries ?? TRIES,
        ...BACKOFF,
        sleep: (ms) => (this.#options.sleep ?? realSleep)(ms, signal),
        retryable: (error) =>
          error instanceof ApiFailure && error.kind === "transient" &&
          !signal.aborted,
      });
      outcome = kind;
      return answer;
    } catch (cause) {
      const failure = signal.aborted ? this.#abortFailure(timeoutMs) : cause;
      if (!(failure instanceof ApiFailure)) throw cause;
      const reason = `Daytona API, ${operation}: ${failure.message}`;
      const options = { cause, retryAfterSec: failure.retryAfterSec };
      throw new GatewayError(codeOf(failure, by.kind), reason, options);
    } finally {
      clearTimeout(timer);
      this.#inFlight.delete(abort);
      const durationMs = performance.now() - startedAt;
      this.#options.onCall({ operation, outcome, durationMs, tries });
    }
  }

  #abortFailure(timeoutMs: number): ApiFailure {
    const reason = this.#options.closing.aborted
      ? "the gateway is closing"
      : `no answer within ${timeoutMs} ms`;
    return new ApiFailure(reason, "lasting");
  }
}

function clientOf({ apiUrl }: Config["daytona"], fetch: Fetch): DaytonaClient {
  return new DaytonaClient({
    baseUrl: apiUrl,
    fetch: async (request) => await bounded(await fetch(request)),
    redirect: "manual",
  });
}

/** Throttling is the doing of whoever's credential it is: of the client, or of this gateway and its visitors together. */
function codeOf({ kind }: ApiFailure, by: ApiCredential["kind"]): ErrorCode {
  if (kind !== "throttled") return "api_unreachable";
  return isUsers(by) ? "user_throttled" : "api_throttled";
}
