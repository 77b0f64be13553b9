import assert from "node:assert/strict";
import {
  hasErrorCode,
  withoutArguments,
} from "../../../src/cache/redis/failure.ts";

Deno.test("hasErrorCode() goes by the word that an answer begins with", () => {
  const readOnly = new Error("READONLY You can't write against a replica.");
  assert.equal(hasErrorCode(readOnly, "READONLY"), true);
  assert.equal(hasErrorCode(readOnly, "WRONGTYPE"), false);
  assert.equal(hasErrorCode(new Error("ERR not READONLY"), "READONLY"), false);
  assert.equal(hasErrorCode("READONLY it is", "READONLY"), false);
});

Deno.test("withoutArguments() leaves out the command that a server repeats", () => {
  const told = withoutArguments(
    new Error(
      "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 's3cret\nmore' ",
    ),
  );
  assert(told instanceof Error);
  assert.equal(told.message, "ERR unknown command 'HELLO'");
  assert.doesNotMatch(Deno.inspect(told), /s3cret/);
  const other = new Error("WRONGPASS invalid username-password pair");
  assert.equal(withoutArguments(other), other);
  assert.equal(withoutArguments("text"), "text");
});
