import { readChunk } from "../../platform/empty_chunks.ts";
import { UpstreamError } from "../upstream_error.ts";

/**
 * A body that is still on its way, in either direction. Not a ReadableStream: the platform requires one of those for
 * each body, and each further one costs as much again.
 */
export interface BodyReader {
  /**
   * The next bytes, at least one, in memory that now belongs to the caller; null at the end. One call at a time.
   * Rejects if the body fails.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Gives up the rest, failing a pending `read()`; does nothing at the end. */
  cancel(): void;
}

/** Reads the body of a Request or Response, locking it only once it is read. */
export function bodyReader(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): BodyReader {
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  let isCancelled = false;
  return {
    async read() {
      reader ??= body.getReader();
      const chunk = await readChunk(reader);
      // A stream reports its cancellation as an ordinary end.
      if (isCancelled) throw new UpstreamError("aborted", "body cancelled");
      return chunk ?? null;
    },
    cancel() {
      isCancelled = true;
      (reader ?? body).cancel().catch(() => {});
    },
  };
}

/** A body whose first parts were read already, or are being read, followed by the rest of the same body. */
export function startingWith(
  parts: readonly (Uint8Array<ArrayBuffer> | ReturnType<BodyReader["read"]>)[],
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
