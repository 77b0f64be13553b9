/** One attempt at a call of Daytona's API: what its response means. */
import { fetchFailure } from "../platform/fetch_failure.ts";
import type { Credential } from "./credential.ts";
import type { ApiAnswer, Operation, OperationId, Reply } from "./operation.ts";

/** A definite answer. */
export interface Outcome<Answer> {
  readonly kind: "ok" | "no";
  readonly answer: Answer;
}

/** What an attempt needs besides the operation's row. */
export interface AttemptOptions {
  readonly by: Credential["kind"];
  /** Sends the request once. */
  readonly send: () => Promise<Reply>;
  /** Called with every response. */
  readonly onResponse: (response: Response) => void;
  /** Called with every response but a web server's page; with a success only if it can be read. */
  readonly onAnswer: (answer: ApiAnswer) => void;
}

/** An attempt that gave no definite answer; the message is safe to log. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** `transient` if another attempt may succeed, `throttled` if the API has had too many requests. */
  readonly kind: "transient" | "throttled" | "lasting";
  readonly retryAfterSec: number | undefined;

  constructor(
    reason: string,
    kind: "transient" | "throttled" | "lasting",
    retryAfterSec?: number,
  ) {
    super(reason);
    this.kind = kind;
    this.retryAfterSec = retryAfterSec;
  }
}

/** The meaning of a status: `yes` and `no` are definite; `failed` is neither, and not worth another attempt. */
export type StatusClass = "yes" | "no" | "retry" | "failed";

/**
 * Interprets a status (RFC 9110 section 15). A redirect is a failure, because a key must only be sent where it was
 * configured to go. A throttled call (429, RFC 6585 section 4) is not retried. 401 is an answer about a user's
 * credential, but our own fault if it is the gateway's.
 *
 * @example
 * ```ts
 * classifyStatus(404, "own"); // "no"
 * classifyStatus(401, "user"); // "no"
 * classifyStatus(401, "own"); // "failed": the gateway's own key is refused
 * ```
 */
export function classifyStatus(
  status: number,
  by: Credential["kind"],
): StatusClass {
  if (status === 200 || status === 201) return "yes";
  if (status === 408 || status >= 500) return "retry";
  if (status === 429 || (status === 401 && !isUsers(by))) return "failed";
  return status >= 400 ? "no" : "failed";
}

/** True if a credential is not the gateway's: refusals and throttling are its owner's doing. */
export function isUsers(by: Credential["kind"]): boolean {
  return by === "user" || by === "key";
}

/** @throws {ApiFailure} if the response is no definite answer */
export async function attempt<Id extends OperationId, Answer>(
  row: Operation<Id, Answer>,
  { by, send, onResponse, onAnswer }: AttemptOptions,
): Promise<Outcome<Answer>> {
  const { data, error: body, response } = await sent(send);
  const { status, headers } = response;
  onResponse(response);
  const meaning = classifyStatus(status, by);
  if (meaning === "yes") {
    const answer = parsed(row, data);
    onAnswer({ status, headers, body: undefined });
    return { kind: "ok", answer };
  }
  // The API's own refusals are JSON, and its good answers fit their schema.
  const isPage = /^text\/html\b/i.test(headers.get("content-type") ?? "");
  if (!isPage) onAnswer({ status, headers, body });
  if (meaning === "no") {
    const refusal = isPage
      ? { status: "a page" } as const
      : { status, headers, body };
    return { kind: "no", answer: row.no(refusal) };
  }
  throw new ApiFailure(
    `status ${status}`,
    status === 429
      ? "throttled"
      : meaning === "retry"
      ? "transient"
      : "lasting",
    retryAfterSecOf(headers),
  );
}

/** @throws {ApiFailure} if there is no response, or its body cannot be read */
async function sent(send: () => Promise<Reply>): Promise<Reply> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof ApiFailure) throw error;
    throw new ApiFailure(reasonOf(error), "transient");
  }
}

/** @throws {ApiFailure} if the body of a success is not what it should be */
function parsed<Id extends OperationId, Answer>(
  row: Operation<Id, Answer>,
  data: unknown,
): Answer {
  const { success, data: answer, error } = row.answer.safeParse(data);
  if (success) return answer;
  const members = error.issues.map(({ path }) => path.join(".") || "body");
  throw new ApiFailure(`malformed answer: ${members.join(", ")}`, "transient");
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
function retryAfterSecOf(headers: Headers): number | undefined {
  const waits = [...headers]
    .filter(([name, value]) =>
      RETRY_AFTER.test(name) && /^\d{1,5}$/.test(value)
    )
    .map(([, value]) => Number(value));
  return waits.length === 0 ? undefined : Math.max(...waits);
}
