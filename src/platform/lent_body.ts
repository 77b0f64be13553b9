/**
 * Deno 2.9.6 copies the bytes that a `Response` is made of, into memory of V8's that is filled with zeros first and
 * left to the garbage collector: with 64 KiB for each request, that runs eight times a second. A stream's chunk is not
 * copied: the server writes it from where it is, and holds its memory for as long as it needs it.
 *
 * So a long body is lent to the server as a stream of one chunk, whose memory is given up as soon as the server has it.
 * It cannot be used again then: nothing tells when the server is done with it.
 */
import { freeBuffer } from "./free_buffer.ts";

/** A body for a response that consists of `bytes`, which must not be used any more: they are freed once they are sent. */
export function lentBody(
  bytes: Uint8Array<ArrayBuffer>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isTaken = false;
  return new ReadableStream({
    pull(controller) {
      if (!isTaken) {
        isTaken = true;
        return controller.enqueue(bytes);
      }
      // The server, which asks for more, holds the memory itself.
      freeBuffer(bytes);
      controller.close();
    },
    cancel: () => freeBuffer(bytes),
  }, { highWaterMark: 0 });
}
