/** Puts a script into a document on its way, right behind its head's start tag. Nothing is held back for that. */
import type { BodyReader, Bytes } from "../../../stream/body_reader.ts";
import { headSearch } from "./head_tag.ts";

/** How far into a document the tag is looked for, bytes. */
export const MAX_SEARCHED_BYTES = 64 * 1024;

/** The body of a document with `script` in it; unchanged if no place for one is found. */
export function withScript(
  body: Bytes | BodyReader,
  script: Bytes,
): Bytes | BodyReader {
  const search = headSearch();
  search.next(); // up to where it takes the first character
  let left = MAX_SEARCHED_BYTES;

  /** Where the script goes in the next bytes; undefined if not there. */
  function placeIn(bytes: Bytes): number | undefined {
    const end = Math.min(left, bytes.length);
    left -= end;
    for (let at = 0; at < end; at++) {
      const char = String.fromCharCode(bytes[at] ?? 0);
      const { done, value: isFound } = search.next(char);
      if (!done) continue;
      left = 0;
      return isFound ? at + 1 : undefined;
    }
    return undefined;
  }

  function inserted(bytes: Bytes): Bytes {
    const at = placeIn(bytes);
    if (at === undefined) return bytes;
    const all = new Uint8Array(bytes.length + script.length);
    all.set(bytes.subarray(0, at));
    all.set(script, at);
    all.set(bytes.subarray(at), at + script.length);
    return all;
  }

  if (body instanceof Uint8Array) return inserted(body);
  return {
    async read() {
      const bytes = await body.read();
      return bytes === null ? null : inserted(bytes);
    },
    cancel: () => body.cancel(),
  };
}
