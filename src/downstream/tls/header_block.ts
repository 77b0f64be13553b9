/** Counts the fields of header blocks as they pass, without decoding them (HPACK, RFC 7541 section 6). */

/** What the next byte, or the integer that it begins, is. */
type Expected = "field" | "index" | "name length" | "value length";

export class HeaderBlockCounter {
  #expected: Expected = "field";
  /** An integer that goes on (section 5.1): its value so far, and what its next byte counts; 0 if there is none. */
  #value = 0;
  #factor = 0;
  /** Bytes of a string that are still to come. */
  #skip = 0;

  begin(): void {
    this.#expected = "field";
    this.#factor = 0;
    this.#skip = 0;
  }

  /** The number of fields that begin in a part of the block. */
  count(part: Uint8Array): number {
    let fields = 0;
    for (let at = 0; at < part.length; at++) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, part.length - at);
        this.#skip -= skipped;
        at += skipped - 1;
        continue;
      }
      if (this.#factor === 0 && this.#expected === "field") fields++;
      this.#take(part[at] ?? 0);
    }
    return fields;
  }

  #take(byte: number): void {
    if (this.#factor > 0) {
      this.#value += (byte & 0x7f) * this.#factor;
      this.#factor = byte < 0x80 ? 0 : this.#factor * 0x80;
    } else {
      const mask = this.#maskOf(byte);
      this.#value = byte & mask;
      this.#factor = this.#value === mask ? 1 : 0;
    }
    if (this.#factor === 0) this.#takeInteger(this.#value);
  }

  /** The bits of the integer in its first byte. */
  #maskOf(byte: number): number {
    if (this.#expected !== "field") return 0x7f; // the length of a string
    if (byte >= 0x80) return 0x7f; // an indexed field
    if (byte >= 0x20 && byte < 0x40) return 0x1f; // a new size of the table
    this.#expected = "index"; // a literal, which goes on
    return byte >= 0x40 ? 0x3f : 0x0f;
  }

  #takeInteger(value: number): void {
    switch (this.#expected) {
      case "index":
        this.#expected = value === 0 ? "name length" : "value length";
        break;
      case "name length":
        this.#skip = value;
        this.#expected = "value length";
        break;
      case "value length":
        this.#skip = value;
        this.#expected = "field";
    }
  }
}
