import assert from "node:assert/strict";
import {
  isMachineToken,
  newToken,
  parseToken,
} from "../../../../src/features/machine_tokens/token_secret.ts";

const ID = "AAECAwQFBgcICQoLDA0ODw";

Deno.test("a token has its record's id, and 16 bytes of its own each time", () => {
  const [one, other] = [newToken(ID), newToken(ID)];
  assert.match(one.token, /^pp_[A-Za-z0-9_-]{43}$/);
  assert.notEqual(one.token, other.token);
  assert.deepEqual(parseToken(one.token), { id: ID, bytes: one.bytes });
  assert.equal(one.bytes.length, 32);
});

Deno.test("nothing else looks like a token", () => {
  const { token } = newToken(ID);
  assert(isMachineToken(token));
  for (
    const other of [
      "",
      "pp_",
      token.slice(0, -1),
      `${token}A`,
      `${token}=`,
      ` ${token}`,
      `${token}\n`,
      token.replace("pp_", "PP_"),
      token.replace("pp_", "dtn_"),
      `pp_${"+".repeat(43)}`,
    ]
  ) {
    assert(!isMachineToken(other), other);
    assert.equal(parseToken(other), undefined, other);
  }
});
