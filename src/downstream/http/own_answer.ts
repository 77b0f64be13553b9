/**
 * Answers of the gateway's own over HTTP/2: in parts, as only the end of a stream tells that a client has taken it
 * (Deno 2.9.6). Each takes 50 KB until then, so whoever leaves too many untaken gets the others without a body, which
 * needs no window.
 */
import { isSafe } from "../../http/safe_method.ts";
import { clientKey } from "../../lib/client_key.ts";
import { streamedResponse } from "../../platform/streamed_response.ts";
import type { ClientSocket } from "./handler.ts";
import { createResponse } from "./response.ts";
import type { UntakenAnswers } from "./untaken.ts";

/** What is known of the request that is answered. */
export interface AnsweredRequest {
  readonly request: Pick<Request, "method">;
  readonly isHttp2: boolean;
  readonly client: { readonly clientAddress: string };
  /** The connection itself, if it is ours to close. */
  readonly socket: ClientSocket | undefined;
  /** True if the status is the answer, as to a probe. */
  readonly isHeadEnough?: boolean;
  /** Settles once the front keeps nothing of the response any more: the client has taken it, or left. */
  readonly delivered: () => Promise<void>;
}

/** Headers of a body, which go with it. */
const OF_BODY = /^content-/;

/** What comes in place of what is nothing without its body. */
const OVERLOADED = {
  status: 503,
  headers: [
    ["cache-control", "no-store"],
    ["retry-after", "1"],
    ["x-porthole-error", "pages_overloaded"],
  ],
} as const;

/** The answer to whoever leaves too many untaken already; undefined for anybody else. It saves to make a page that is not sent. */
export function refusalOfTooMany(
  { isHttp2, client }: Pick<AnsweredRequest, "isHttp2" | "client">,
  untaken: Pick<UntakenAnswers, "isFull">,
): Response | undefined {
  const isFull = isHttp2 && untaken.isFull(clientKey(client.clientAddress));
  return isFull ? overloaded() : undefined;
}

/** The answer as it is to be sent. */
export function ownAnswer(
  response: Response,
  answered: AnsweredRequest,
  untaken: Pick<UntakenAnswers, "admit" | "watch">,
): Response {
  const { request: { method }, isHttp2, client, socket } = answered;
  // To look at the body makes a stream of it, which takes time, and ends the connection after an unread upload.
  if (!isHttp2 || method === "HEAD" || response.body === null) {
    return response;
  }
  const sent = {
    client: clientKey(client.clientAddress),
    delivered: answered.delivered(),
    socket,
  };
  if (untaken.admit(sent)) return streamedResponse(response);
  const { isHeadEnough = false } = answered;
  if (isHeadEnough || response.status >= 300) return withoutBody(response);
  if (isSafe(method)) {
    response.body.cancel();
    return overloaded();
  }
  // What was done cannot be asked for again, nor a secret that is told once.
  untaken.watch(sent);
  return streamedResponse(response);
}

function withoutBody({ body, status, headers }: Response): Response {
  body?.cancel();
  const left = [...headers].filter(([name]) => !OF_BODY.test(name));
  return createResponse(null, status, left);
}

function overloaded(): Response {
  return createResponse(null, OVERLOADED.status, OVERLOADED.headers);
}
