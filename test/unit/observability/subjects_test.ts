import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import {
  Subjects,
  type SubjectsOptions,
} from "../../../src/observability/subjects.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

function subjectsOf(mode: SubjectsOptions["mode"], secret = SECRET): Subjects {
  return new Subjects({ mode, secret, maxRemembered: 2 });
}

function jwtOf(payload: unknown): string {
  const text = new TextEncoder().encode(JSON.stringify(payload));
  return `e30.${
    text.toBase64({ alphabet: "base64url", omitPadding: true })
  }.sig`;
}

Deno.test("a hash tells users apart, is the same at all gateways with a secret, and names nobody", () => {
  const alice = subjectsOf("hash").ofUser("alice@example.com");
  assert.match(alice ?? "", /^[\w-]{16}$/);
  assert.equal(subjectsOf("hash").ofUser("alice@example.com"), alice);
  assert.notEqual(subjectsOf("hash").ofUser("bob"), alice);
  assert.notEqual(
    subjectsOf("hash", `other ${SECRET}`).ofUser("alice@example.com"),
    alice,
  );
});

Deno.test("an operator who has the secret finds a user's hash by the documented formula", () => {
  const hash = createHmac("sha256", SECRET).update("porthole-subject:alice")
    .digest("base64url").slice(0, 16);
  assert.equal(subjectsOf("hash").ofUser("alice"), hash);
});

Deno.test("in the clear, the sub is told as it is; switched off, nobody is named", () => {
  assert.equal(subjectsOf("clear").ofUser("auth0|alice"), "auth0|alice");
  assert.equal(subjectsOf("clear").ofUser("a".repeat(300))?.length, 255);
  const off = subjectsOf("off");
  assert.equal(off.ofUser("alice"), undefined);
  assert.equal(off.ofBearer("dtn_key"), undefined);
  assert.equal(subjectsOf("hash").ofUser(undefined), undefined);
});

Deno.test("a bearer that is a JWT names its user, and any other is named by a hash in every mode", () => {
  for (const mode of ["hash", "clear"] as const) {
    const subjects = subjectsOf(mode);
    assert.equal(
      subjects.ofBearer(jwtOf({ sub: "alice" })),
      subjects.ofUser("alice"),
    );
    for (
      const token of ["dtn_secret", "a.b.c", jwtOf({ sub: 1 }), jwtOf(null)]
    ) {
      const name = subjects.ofBearer(token) ?? "";
      assert.match(name, /^key-[\w-]{16}$/, token);
      assert.equal(subjects.ofBearer(token), name);
    }
  }
});
