import { readChunk } from "../../platform/empty_chunks.ts";
import { UpstreamError } from "../upstream_error.ts";

/** Bytes whose memory is not shared with another thread. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A body that is on its way. Not a ReadableStream: Deno requires one for each body, and each further one costs as much. */
export interface BodyReader {
  /** The next bytes, at least one, now the caller's; null at the end. One call at a time; rejects if the body fails. */
  read(): Promise<Bytes | null>;
  /** Gives up the rest, failing a pending `read()`; does nothing at the end. */
  cancel(): void;
}

/** Reads the body of a Request or Response, locking it only once it is read. */
export function bodyReader(body: ReadableStream<Bytes>): BodyReader {
  let reader: ReadableStreamDefaultReader<Bytes> | undefined;
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
