import assert from "node:assert/strict";
import { isLonger } from "../../../../src/downstream/websocket/message_length.ts";

Deno.test("isLonger() counts the bytes of a text as UTF-8, and those of anything else", () => {
  for (
    const [data, bytes] of [
      ["", 0],
      ["abc", 3],
      ["\u00e9", 2],
      ["\u20ac\u20ac", 6],
      ["\u{1f600}", 4],
      [new ArrayBuffer(5), 5],
    ] as const
  ) {
    assert(!isLonger(data, bytes));
    assert(bytes === 0 || isLonger(data, bytes - 1));
  }
});
