/**
 * Deno 2.9.6, HTTP/1.1: once a request has been answered in one piece whose body nobody has read, the rest of that is
 * taken and decoded for as long as it comes, as much at once as reads before on the connection have had room for: 64 KiB
 * in chunks of one byte take 60 ms. No upstream issue is known.
 *
 * Instead, where reads had much room, the response is in parts, beside a body that is opened, and cancelled once that
 * has been sent: then the connection is closed. Elsewhere, the rest may come, so that who sends all of it first can read
 * the answer.
 */
import type { RequestHeaders } from "../../http/headers.ts";
import { streamedResponse } from "../../platform/streamed_response.ts";
import { type BodySource, ChunkedBody } from "./chunked_body.ts";
import { isBodiless } from "./response.ts";

/** What is known of a request whose body may not have been read. */
export interface UnreadRequest extends Omit<BodySource, "readSizes"> {
  readonly request: Pick<Request, "body">;
  readonly headers: Pick<RequestHeaders, "has">;
}

/** The response to such a request, as it is to be sent: another one if somebody may send what takes long to decode. */
export function finishUnread(
  { request, headers, connection, delivered }: UnreadRequest,
  readSizes: BodySource["readSizes"],
  response: Response,
): Response {
  const isRisk = headers.has("transfer-encoding") &&
    readSizes.isLarge(connection) && response.status !== 101;
  if (!isRisk || request.body === null || request.body.locked) return response;
  new ChunkedBody(request.body, { connection, delivered, readSizes }).cancel();
  return streamedResponse(response, statusInParts(response.status));
}

/** Nobody who means well sends a body in chunks where the answer has none. */
function statusInParts(status: number): number {
  if (!isBodiless(status)) return status;
  return status === 304 ? 400 : 200;
}
