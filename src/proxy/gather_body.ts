/** Reads a small body as a whole, to look into it, unless that would keep its client waiting. */

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The whole body, or, where its end does not come within `withinMs` milliseconds, a stream of it that lacks nothing.
 * Rejects with what `body` fails of.
 */
export async function gatherBody(
  body: ReadableStream<Bytes>,
  withinMs: number,
): Promise<Bytes | ReadableStream<Bytes>> {
  const reader = body.getReader();
  const parts: Bytes[] = [];
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, withinMs);
  try {
    for (;;) {
      const reading = reader.read();
      const part = await Promise.race([reading, late.promise]);
      if (part === undefined) return goOn(reader, parts, reading);
      if (part.done) return await new Blob(parts).bytes();
      parts.push(part.value);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** What was read, what is being read, and the rest. */
function goOn(
  reader: ReadableStreamDefaultReader<Bytes>,
  parts: Bytes[],
  reading: Promise<ReadableStreamReadResult<Bytes>>,
): ReadableStream<Bytes> {
  let underWay: typeof reading | undefined = reading;
  reading.catch(() => {}); // told where the stream is read on
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const known = parts.shift();
      if (known !== undefined) return controller.enqueue(known);
      const { done, value } = await (underWay ?? reader.read());
      underWay = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
