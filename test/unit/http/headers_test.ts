import assert from "node:assert/strict";
import { requestHeadersOf, withoutHeader } from "../../../src/http/headers.ts";

Deno.test("requestHeadersOf() has the same headers as Headers, in the same order", () => {
  const headers = new Headers([
    ["X-B", "1"],
    ["accept", "text/html"],
    ["X-B", "2"],
    ["x-empty", ""],
  ]);
  const fields = requestHeadersOf(headers);
  assert.deepEqual([...fields], [...headers]);
  for (const name of ["x-b", "accept", "x-empty", "x-none"]) {
    assert.equal(fields.get(name), headers.get(name));
    assert.equal(fields.has(name), headers.has(name));
  }
});

Deno.test("withoutHeader() leaves out all headers of that name, however they are spelt, and keeps the order", () => {
  const headers = [["Via", "a"], ["X", "1"], ["via", "b"], ["Y", "2"]] as const;
  assert.deepEqual(withoutHeader(headers, "via"), [["X", "1"], ["Y", "2"]]);
  assert.deepEqual(withoutHeader(headers, "z"), headers);
});
