/** Buffers a small body in order to inspect it, unless that would keep its reader waiting. */

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The whole body, or, if its end does not arrive within `timeoutMs`, a stream of it from the beginning. Rejects if
 * `body` fails.
 */
export async function gatherBody(
  body: ReadableStream<Bytes>,
  timeoutMs: number,
): Promise<Bytes | ReadableStream<Bytes>> {
  const reader = body.getReader();
  const chunks: Bytes[] = [];
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, timeoutMs);
  try {
    for (;;) {
      const reading = reader.read();
      const result = await Promise.race([reading, late.promise]);
      if (result === undefined) return resume(reader, chunks, reading);
      if (result.done) return await new Blob(chunks).bytes();
      chunks.push(result.value);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A stream of the chunks already read, the one that is being read, and the rest. */
function resume(
  reader: ReadableStreamDefaultReader<Bytes>,
  chunks: Bytes[],
  reading: Promise<ReadableStreamReadResult<Bytes>>,
): ReadableStream<Bytes> {
  let pending: typeof reading | undefined = reading;
  reading.catch(() => {}); // reported when the stream is read
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined) return controller.enqueue(chunk);
      const { done, value } = await (pending ?? reader.read());
      pending = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
