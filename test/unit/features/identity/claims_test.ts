import assert from "node:assert/strict";
import { identityIn, updatedBy } from "../../../../src/auth/oidc/identity.ts";
import { CLAIMS, claimsOf } from "../../../../src/features/identity/claims.ts";

const ALICE = {
  sub: "alice",
  name: "Alice",
  email: "alice@example.com",
  email_verified: true,
  groups: ["staff", "qa"],
};

/** What is told of a user of whom the ID token says that. */
function told(claims: Readonly<Record<string, unknown>>, names = CLAIMS) {
  return claimsOf(identityIn({ ...ALICE, ...claims }, "groups"), names);
}

Deno.test("what the operator names is told, as far as the provider has told it", () => {
  const { name, email, groups } = ALICE;
  assert.deepEqual(told({}), { name, email, groups });
  assert.deepEqual(claimsOf(identityIn(ALICE, "groups"), ["name"]), { name });
  assert.deepEqual(claimsOf(identityIn(ALICE, "groups"), []), {});
  assert.deepEqual(claimsOf(undefined, CLAIMS), {});
  assert.deepEqual(told({ name: undefined, email: "", groups: [] }), {});
  assert.deepEqual(told({ name: { first: "Alice" }, groups: 1 }), { email });
});

Deno.test("no address is told that the provider has not verified", () => {
  for (const email_verified of [false, undefined, "false", 1]) {
    assert(!("email" in told({ email_verified })), String(email_verified));
  }
});

Deno.test("what would be too long for a header is left out", () => {
  const long = "x".repeat(2049);
  assert.deepEqual(told({ name: long, email: long, groups: [long] }), {});
  const groups = Array.from({ length: 500 }, (_, at) => `group-${at}`);
  const { groups: some = [] } = told({ groups });
  assert(some.length > 100);
  assert([some].flat().join("").length <= 2048);
});

Deno.test("a name is that of the UserInfo, if that has one", () => {
  const before = identityIn(ALICE, "groups");
  const options = { groupsClaim: "groups", now: 1 };
  const { sub } = ALICE;
  assert.equal(updatedBy({ sub }, before, options).name, "Alice");
  const newer = updatedBy({ sub, name: "Alice B." }, before, options);
  assert.equal(newer.name, "Alice B.");
});
