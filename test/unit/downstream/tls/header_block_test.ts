import assert from "node:assert/strict";
import { HeaderBlockCounter } from "../../../../src/downstream/tls/header_block.ts";

/** Counts the fields of a block that comes in parts of this size. */
function count(block: readonly number[], size: number): number {
  const counter = new HeaderBlockCounter();
  let fields = 0;
  for (let at = 0; at < block.length; at += size) {
    fields += counter.count(new Uint8Array(block.slice(at, at + size)));
  }
  return fields;
}

Deno.test("header fields are counted as RFC 7541 separates them", () => {
  const long = Array.from({ length: 300 }, () => 0x82);
  const table: [name: string, block: number[], fields: number][] = [
    ["nothing", [], 0],
    ["indexed fields", [0x82, 0x86, 0xbf, 0xfe], 4],
    ["an index of two bytes", [0xff, 0x00, 0x82], 2],
    ["an index of three bytes", [0xff, 0x80, 0x01, 0x82], 2],
    ["a literal with an indexed name", [0x41, 2, 0x82, 0x82, 0x82], 2],
    ["one whose index has two bytes", [0x7f, 0x05, 1, 0x82, 0x82], 2],
    ["a literal with a name", [0x40, 1, 0x82, 2, 0x82, 0x82, 0x82], 2],
    ["one that is not indexed", [0x0f, 0x2f, 1, 0x82, 0x82], 2],
    ["one that never is", [0x10, 1, 0x82, 1, 0x82, 0x82], 2],
    ["empty strings", [0x00, 0, 0, 0x82], 2],
    ["a Huffman code", [0x41, 0x82, 0x82, 0x82, 0x82], 2],
    // 300 = 127 + 173, and 173 = 0x80 | 45, 1
    ["a long string", [0x41, 0x7f, 0xad, 0x01, ...long, 0x82], 2],
    // A change of the table's size counts as one.
    ["a size of the table", [0x3f, 0xe1, 0x1f, 0x82], 2],
  ];
  for (const [name, block, fields] of table) {
    for (const size of [1, 2, 1000]) {
      assert.equal(count(block, size), fields, `${name}, ${size} at a time`);
    }
  }
});

Deno.test("another block begins anew, however the last one ended", () => {
  const counter = new HeaderBlockCounter();
  for (const end of [[0x41, 100, 0x82], [0xff, 0x80], [0x40], [0x41, 0x7f]]) {
    counter.begin();
    counter.count(new Uint8Array(end));
    counter.begin();
    assert.equal(counter.count(new Uint8Array([0x82, 0x82])), 2);
  }
});
