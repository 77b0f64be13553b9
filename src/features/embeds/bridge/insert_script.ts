/** Puts a script into a document on its way, right behind its head's start tag. Nothing is held back for that. */
import type { BodyReader, Bytes } from "../../../upstream/http1/body_reader.ts";
import { headSearch } from "./head_tag.ts";

/** How far into a document the tag is looked for, bytes. */
export const MAX_SEARCHED_BYTES = 64 * 1024;

/** The body of a document with `script` in it; unchanged if no place for one is found. */
export function withScript(
  body: Bytes | BodyReader,
  script: Bytes,
): Bytes | BodyReader {
  const insertion = new Insertion(script);
  if (body instanceof Uint8Array) return insertion.into(body);
  return {
    async read() {
      const bytes = await body.read();
      return bytes === null ? null : insertion.into(bytes);
    },
    cancel: () => body.cancel(),
  };
}

class Insertion {
  readonly #script: Bytes;
  readonly #search = headSearch();
  #left = MAX_SEARCHED_BYTES;

  constructor(script: Bytes) {
    this.#script = script;
    this.#search.next(); // up to where it takes the first character
  }

  /** The next bytes of the document, with the script if this is its place. */
  into(bytes: Bytes): Bytes {
    const at = this.#find(bytes);
    if (at === undefined) return bytes;
    const all = new Uint8Array(bytes.length + this.#script.length);
    all.set(bytes.subarray(0, at));
    all.set(this.#script, at);
    all.set(bytes.subarray(at), at + this.#script.length);
    return all;
  }

  #find(bytes: Bytes): number | undefined {
    const end = Math.min(this.#left, bytes.length);
    this.#left -= end;
    for (let at = 0; at < end; at++) {
      const char = String.fromCharCode(bytes[at] ?? 0);
      const { done, value: isFound } = this.#search.next(char);
      if (!done) continue;
      this.#left = 0;
      return isFound ? at + 1 : undefined;
    }
    return undefined;
  }
}
