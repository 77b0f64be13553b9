/**
 * Deno 2.9.6, HTTP/1.1: the body of a request whose method allows one is a stream of an empty chunk, if there is none.
 * No upstream issue is known.
 *
 * Instead, empty chunks are skipped: whoever reads a body may rely on at least one byte.
 */

/** The next chunk that is not empty; undefined at the end of the stream. */
export async function readChunk<T extends Uint8Array>(
  reader: ReadableStreamDefaultReader<T>,
): Promise<T | undefined> {
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined || value.length > 0) return value;
  }
}
