/** Buffers a small body in order to inspect it, unless that would keep its reader waiting. */
import { type Bytes, startingWith } from "../../stream/body_reader.ts";
import type { ResponseBody } from "../../stream/response_body.ts";

/** The whole body, or, if its end does not come in time or within `maxBytes`, a reader of it. Rejects if `body` fails. */
export async function wholeBody(
  body: ResponseBody,
  timeoutMs: number,
  maxBytes = Infinity,
): Promise<ResponseBody> {
  if (body === null || body instanceof Uint8Array) return body;
  const parts: Bytes[] = [];
  let length = 0;
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), timeoutMs);
  try {
    for (;;) {
      const reading = body.read();
      const part = await Promise.race([reading, late.promise]);
      if (part === "late") return startingWith([...parts, reading], body);
      if (part === null) return await new Blob(parts).bytes();
      parts.push(part);
      length += part.length;
      if (length > maxBytes) return startingWith(parts, body);
    }
  } finally {
    clearTimeout(timer);
  }
}
