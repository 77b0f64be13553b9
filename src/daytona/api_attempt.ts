/** One attempt at a call of Daytona's API: what its response means. */
import type { z } from "zod";
import { fetchFailure } from "../platform/fetch_failure.ts";
import type { ApiCredential } from "./credential.ts";
import type {
  ApiAnswer,
  ApiReply,
  Operation,
  OperationId,
} from "./operation.ts";

/** A definite answer. */
interface Outcome<Answer> {
  readonly kind: "ok" | "no";
  readonly answer: Answer;
}

interface AttemptOptions {
  readonly by: ApiCredential["kind"];
  readonly send: () => Promise<ApiReply>;
  /** Called with every response but a web server's page; with a success only if it can be read. */
  readonly onAnswer: (answer: ApiAnswer) => void;
}

/** `transient` if another attempt may succeed, `throttled` if the API has had too many requests. */
type FailureKind = "transient" | "throttled" | "lasting";

/** An attempt that gave no definite answer; the message is safe to log. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly kind: FailureKind;
  readonly retryAfterSec: number | undefined;

  constructor(reason: string, kind: FailureKind, retryAfterSec?: number) {
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
 */
export function classifyStatus(
  status: number,
  by: ApiCredential["kind"],
): StatusClass {
  if (status === 200 || status === 201) return "yes";
  if (status === 408 || status >= 500) return "retry";
  if (status === 429 || (status === 401 && !isUsers(by))) return "failed";
  return status >= 400 ? "no" : "failed";
}

/** True if a credential is not the gateway's: refusals and throttling are its owner's doing. */
export function isUsers(by: ApiCredential["kind"]): boolean {
  return by === "user" || by === "key";
}

/** @throws {ApiFailure} if the response is no definite answer */
export async function attempt<Id extends OperationId, Answer>(
  row: Operation<Id, Answer>,
  { by, send, onAnswer }: AttemptOptions,
): Promise<Outcome<Answer>> {
  const { data, error: body, response } = await send().catch(failed);
  const { status, headers } = response;
  const meaning = classifyStatus(status, by);
  if (meaning === "yes") {
    const { success, data: answer, error } = row.answer.safeParse(data);
    if (!success) throw malformed(error);
    onAnswer({ status, headers, body: undefined });
    return { kind: "ok", answer };
  }
  // The API's own refusals are JSON, and its good answers fit their schema.
  const isPage = /^text\/html\b/i.test(headers.get("content-type") ?? "");
  if (!isPage) onAnswer({ status, headers, body });
  if (meaning === "no") {
    const page = { status: "a page" } as const;
    const answer = row.no(isPage ? page : { status, headers, body });
    return { kind: "no", answer };
  }
  const otherwise = status === 429 ? "throttled" : "lasting";
  const kind = meaning === "retry" ? "transient" : otherwise;
  throw new ApiFailure(`status ${status}`, kind, retryAfterSecOf(headers));
}

/** The longest answer that is read, bytes: Daytona's come nowhere near it, and one without end must not fill the memory. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** The response, its body read to its end; throws an {@linkcode ApiFailure} if that is longer, decompressed. */
export async function bounded(response: Response): Promise<Response> {
  if (response.body === null) return response;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  // To leave the loop cancels the body, which ends its connection.
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) {
      const reason = `the answer is longer than ${MAX_ANSWER_BYTES} bytes`;
      throw new ApiFailure(reason, "lasting");
    }
    chunks.push(chunk);
  }
  return new Response(new Blob(chunks), response);
}

function malformed({ issues }: z.ZodError): ApiFailure {
  const members = issues.map(({ path }) => path.join(".") || "body");
  return new ApiFailure(`malformed answer: ${members.join(", ")}`, "transient");
}

/**
 * Tells safely why there is no reply: the errors of `fetch` contain the whole URL, with the token in it, and those of a
 * JSON parser quote the text that it failed on, which may be a runner's key.
 * @throws {ApiFailure} always
 */
function failed(error: unknown): never {
  if (error instanceof ApiFailure) throw error;
  const reason = error instanceof SyntaxError
    ? "the body is not JSON; is the base URL complete, such as https://daytona.example.com/api?"
    : fetchFailure(error);
  throw new ApiFailure(reason, "transient");
}

/** Retry-After (RFC 9110 section 10.2.3), or that of a quota: `Retry-After-authenticated` is the API's for users. */
const RETRY_AFTER = /^retry-after(-[a-z-]+)?$/;

/** The longest wait that a response asks for, seconds; the API does not use the date form. */
function retryAfterSecOf(headers: Headers): number | undefined {
  const waits = [...headers].flatMap(([name, value]) =>
    RETRY_AFTER.test(name) && /^\d{1,5}$/.test(value) ? [Number(value)] : []
  );
  return waits.length === 0 ? undefined : Math.max(...waits);
}
