import type { BodyReader, Bytes } from "./body_reader.ts";

/**
 * Bytes if the whole body arrived with the head, or soon after it, a reader otherwise; null if there is no body. Bytes
 * are nobody else's, and may be given back (see buffer_pool.ts). A reader must be read to the end or cancelled: it
 * holds its connection until then.
 */
export type ResponseBody = Bytes | BodyReader | null;

/** Gives up a body that nobody will read. */
export function discardBody(body: ResponseBody): void {
  if (body !== null && !(body instanceof Uint8Array)) body.cancel();
}
