import { ApiFailure } from "./api_attempt.ts";

/** The longest answer that is read, bytes: Daytona's come nowhere near it, and one without end must not fill the memory. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * The response, with a body that has been read to its end.
 *
 * @throws {ApiFailure} beyond {@linkcode MAX_ANSWER_BYTES}, decompressed
 */
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
