import assert from "node:assert/strict";
import {
  mayBeTransformed,
  withoutByteHeaders,
} from "../../../src/http/transformed_content.ts";

Deno.test("content may be transformed unless it has a coding, or says that it may not", () => {
  assert.equal(mayBeTransformed([]), true);
  assert.equal(mayBeTransformed([["Cache-Control", "max-age=5"]]), true);
  assert.equal(mayBeTransformed([["Content-Encoding", "gzip"]]), false);
  for (const value of ["no-transform", "max-age=5, No-Transform ,private"]) {
    assert.equal(mayBeTransformed([["Cache-Control", value]]), false);
  }
});

Deno.test("headers that are true of the sent bytes only are left out, however they are spelt", () => {
  const kept = [["Content-Type", "text/css"], ["ETag", '"a"']] as const;
  const ofBytes = [
    "Accept-Ranges",
    "Content-Digest",
    "CONTENT-LENGTH",
    "Content-MD5",
    "digest",
    "Repr-Digest",
  ].map((name) => [name, "1"] as const);
  assert.deepEqual(withoutByteHeaders([...ofBytes, ...kept]), kept);
});
