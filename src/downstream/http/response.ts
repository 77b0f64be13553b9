/** The response that a client gets for an upstream's: its headers and its body. */
import { setImmediate } from "node:timers/promises";
import {
  hasHeader,
  type HeaderList,
  withoutHeader,
} from "../../http/headers.ts";
import { streamedResponse } from "../../platform/streamed_response.ts";
import { UNKNOWN_LENGTH } from "../../platform/unknown_length.ts";
import { discardBody, type ResponseBody } from "../../stream/response_body.ts";
import type { Upload } from "./upload.ts";

/** True for a status without a body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5), with which Response accepts none. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/**
 * The headers that go with {@linkcode clientBody}. Over HTTP/2, a 205 without its body is malformed if it announces a
 * length other than 0 (RFC 9113 section 8.1.1); a 204 has no length, and a 304 may have the selected representation's.
 */
export function clientHeaders(
  status: number,
  headers: [string, string][],
): [string, string][] {
  return status === 205 ? withoutHeader(headers, "content-length") : headers;
}

/** The body that the client gets in response to a request with `method`; one that it does not get is discarded. */
export function clientBody(
  method: string,
  { status, headers, body }: {
    readonly status: number;
    readonly headers: HeaderList;
    readonly body: ResponseBody;
  },
): ResponseBody {
  if (isBodiless(status)) {
    discardBody(body);
    return null;
  }
  const isUnknown = method === "HEAD" && !hasHeader(headers, "content-length");
  return isUnknown ? UNKNOWN_LENGTH : body;
}

/** Creates a response. Appending its headers takes half the time of passing them to the constructor. */
export function createResponse(
  body: BodyInit | null,
  status: number,
  headers: HeaderList,
): Response {
  const response = new Response(body, { status });
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

/**
 * The response to a request of whose upload in chunks something may be left. That is given up, and the response
 * streamed beside it (see chunked_body.ts): not if a read waits for more, since Deno keeps nothing then, and that read
 * would be lost (see leaked_sockets.ts).
 */
export async function finishBeside(
  upload: Pick<Upload, "cancel" | "giveUp" | "idle">,
  response: Response,
): Promise<Response> {
  upload.cancel();
  // A read of what is kept resolves without a turn of the event loop.
  const turn = setImmediate(false);
  const idle = Promise.resolve(upload.idle()).then(() => true);
  if (await Promise.race([idle, turn])) return streamedResponse(response);
  upload.giveUp();
  response.headers.set("connection", "close"); // what is left of the upload comes before a next request
  return response;
}
