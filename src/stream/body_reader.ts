import { readChunk } from "../platform/empty_chunks.ts";
import { StreamError } from "./stream_error.ts";

/** Bytes whose memory is not shared with another thread. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A body that is on its way. Not a ReadableStream: Deno requires one for each body, and each further one costs as much. */
export interface BodyReader {
  /** The next bytes, at least one, now the caller's; null at the end. One call at a time; rejects if the body fails. */
  read(): Promise<Bytes | null>;
  /** What `read()` returns next, which it still does then; undefined if nothing may be asked for before the head is sent. */
  peek?(): Promise<Bytes | null> | undefined;
  /** Gives up the rest, failing a pending `read()`; does nothing at the end. */
  cancel(): void;
}

/** Reads a stream of bytes. */
export interface Reader {
  /** The next bytes, in `room` unless they were there before. */
  read(room: Bytes): Promise<{ readonly value?: Bytes | undefined }>;
  cancel(): Promise<void>;
}

/** A short body that came with its head is no byte stream: it is there already. */
export function readerOf(body: ReadableStream<Bytes>): Reader {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return body.getReader();
  }
}

/** Reads the body of a Request or Response, locking it only once it is read. */
export function bodyReader(body: ReadableStream<Bytes>): BodyReader {
  let reader: ReadableStreamDefaultReader<Bytes> | undefined;
  return readBy(
    () => readChunk(reader ??= body.getReader()),
    () => (reader ?? body).cancel(),
  );
}

/** Reads into rooms that are taken for each read, and may be used again: fresh memory is filled with zeros first. */
export function roomReader(
  body: ReadableStream<Bytes>,
  takeRoom: () => Bytes,
): BodyReader {
  let reader: Reader | undefined;
  return readBy(async () => {
    reader ??= readerOf(body);
    const { value } = await reader.read(takeRoom());
    return value?.length === 0 ? undefined : value; // at the end
  }, () => (reader ?? body).cancel());
}

function readBy(
  read: () => Promise<Bytes | undefined>,
  cancel: () => Promise<void>,
): BodyReader {
  let isCancelled = false;
  return {
    async read() {
      const chunk = await read();
      // A stream reports its cancellation as an ordinary end.
      if (isCancelled) throw new StreamError("aborted", "body cancelled");
      return chunk ?? null;
    },
    cancel() {
      isCancelled = true;
      cancel().catch(() => {});
    },
  };
}

/** A body whose first parts were read already, or are being read, followed by the rest of the same body. */
export function startingWith(
  parts: readonly (Bytes | Promise<Bytes | null>)[],
  rest: BodyReader,
): BodyReader {
  const first = parts.values();
  return {
    async read() {
      const { value } = first.next();
      return await (value ?? rest.read());
    },
    cancel: () => rest.cancel(),
  };
}
