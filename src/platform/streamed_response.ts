/**
 * Deno 2.9.6, HTTP/1.1: after a response in one piece, the rest of a request is read and decoded without a turn of the
 * event loop (see downstream/http/chunked_body.ts). After one in parts, the connection is closed.
 */

/** The response in parts, by its status unless given; throws a TypeError for one without a body (RFC 9110 section 6.4.1). */
export function streamedResponse(
  { body, headers, status: ownStatus }: Response,
  status = ownStatus,
): Response {
  // Deno sends the `body` of a Response in one piece, if that is complete.
  return new Response(ReadableStream.from(body ?? []), { status, headers });
}
