import assert from "node:assert/strict";
import { storedJson } from "../../../src/records/stored_json.ts";

Deno.test("storedJson() is what is stored, or nothing, and takes nothing else for either", () => {
  const read = (text: string, none: object) =>
    storedJson(["names", "7"], { text, version: "1" }, none);
  assert.deepEqual(read("[1]", []), [1]);
  assert.deepEqual(read('{"a":1}', {}), { a: 1 });
  const none: readonly number[] = [];
  assert.equal(storedJson(["names", "7"], undefined, none), none);
  for (
    const [text, none] of [
      ["", []],
      ["[", []],
      ["{}", []],
      ["[]", {}],
      ["null", {}],
      ["1", {}],
    ] as const
  ) {
    assert.throws(() => read(text, none), {
      code: "records_unavailable",
      message: "No value that can be read: names/7",
    });
  }
});
