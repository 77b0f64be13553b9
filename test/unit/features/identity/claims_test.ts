import assert from "node:assert/strict";
import { identityIn, updatedBy } from "../../../../src/auth/oidc/identity.ts";
import {
  type ClaimName,
  CLAIMS,
  claimsOf,
} from "../../../../src/features/identity/claims.ts";

const ALICE = {
  sub: "alice",
  name: "Alice",
  email: "alice@example.com",
  email_verified: true,
  groups: ["staff", "qa"],
};

/** What is told of a user of whom the ID token says that. */
function told(
  claims: Readonly<Record<string, unknown>>,
  names: readonly ClaimName[] = CLAIMS,
) {
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
  const long = "x".repeat(3000);
  assert.deepEqual(told({ name: long, email: long, groups: [long] }), {});
  const { groups: none, ...rest } = told({ groups: [long] });
  assert.deepEqual([none, rest], [undefined, {
    email: ALICE.email,
    name: ALICE.name,
  }]);
});

Deno.test("all claims together have three kilobytes of a header, whatever their letters, and groups come last", () => {
  const name = "\u540d".repeat(400);
  for (const group of ["group", "\u7d44", "\u{1f980}", '"\\', ""]) {
    const groups = Array.from({ length: 3000 }, (_, at) => group + at % 10);
    for (const all of [groups, Array<string>(3000).fill(group)]) {
      const claims = told({ name, groups: all }, CLAIMS.toReversed());
      assert.deepEqual([claims["name"], claims["email"]], [name, ALICE.email]);
      assert((claims["groups"]?.length ?? 0) > 50);
      const { length } = new TextEncoder().encode(JSON.stringify(claims));
      assert(length > 2900 && length < 3072, `${length} octets of ${group}`);
    }
  }
});

Deno.test("a name is that of the UserInfo, if that has one", () => {
  const before = identityIn(ALICE, "groups");
  const options = { groupsClaim: "groups", now: 1 };
  const { sub } = ALICE;
  assert.equal(updatedBy({ sub }, before, options).name, "Alice");
  const newer = updatedBy({ sub, name: "Alice B." }, before, options);
  assert.equal(newer.name, "Alice B.");
});
