/** Buffers a small body in order to inspect it, unless that would keep its reader waiting. */
import type { BodyReader } from "../upstream/body_reader.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The whole body, or, if its end does not arrive within `timeoutMs`, a reader of it from the beginning. Rejects if
 * `body` fails.
 */
export async function gatherBody(
  body: BodyReader,
  timeoutMs: number,
): Promise<Bytes | BodyReader> {
  const parts: Bytes[] = [];
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), timeoutMs);
  try {
    for (;;) {
      const reading = body.read();
      const part = await Promise.race([reading, late.promise]);
      if (part === "late") return resume(parts, reading, body);
      if (part === null) return await new Blob(parts).bytes();
      parts.push(part);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The parts already read, the one that is being read, and the rest. */
function resume(
  parts: readonly Bytes[],
  reading: Promise<Bytes | null>,
  rest: BodyReader,
): BodyReader {
  const first = [...parts, reading].values();
  return {
    async read() {
      const { value } = first.next();
      return await (value ?? rest.read());
    },
    cancel: () => rest.cancel(),
  };
}
