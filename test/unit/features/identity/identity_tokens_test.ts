import assert from "node:assert/strict";
import {
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
} from "jose";
import { createTokens } from "../../../../src/features/identity/identity_tokens.ts";
import type { Visitor } from "../../../../src/features/identity/visitor.ts";

const APP = { iss: "https://preview.example.com", aud: "box", port: 3000 };
const ALICE: Visitor = {
  via: "login",
  who: ["user", "https://id.example.com", "alice"],
};

async function setUp(salt = "a salt") {
  const pair = await generateKeyPair("ES256", { extractable: true });
  const key = await exportJWK(pair.privateKey);
  const clock = { now: 1_700_000_000_500 };
  const signed = { count: 0 };
  const failure: { error?: Error } = {};
  const tokenOf = createTokens({
    signing() {
      signed.count++;
      return failure.error === undefined
        ? Promise.resolve({ kid: "one", key, salt })
        : Promise.reject(failure.error);
    },
  }, () => clock.now);
  return { tokenOf, clock, signed, failure };
}

Deno.test("a token says for whom it is, by whom its visitor is vouched for, and lasts for a minute", async () => {
  const { tokenOf } = await setUp();
  const token = await tokenOf(APP, ALICE);
  assert.deepEqual(decodeProtectedHeader(token), {
    alg: "ES256",
    kid: "one",
    typ: "JWT",
  });
  const { sub, ...claims } = decodeJwt(token);
  assert.match(sub ?? "", /^[\w-]{43}$/);
  assert.deepEqual(claims, {
    ...APP,
    via: "login",
    iat: 1_700_000_000,
    exp: 1_700_000_060,
  });
});

Deno.test("what a visitor has agreed to is in the token, and cannot take the place of what the gateway says", async () => {
  const { tokenOf } = await setUp();
  const claims = { email: "alice@example.com", groups: ["staff"] };
  const token = await tokenOf(APP, { ...ALICE, claims });
  const { email, groups } = decodeJwt(token);
  assert.deepEqual({ email, groups }, claims);
  const reserved = {
    sub: "bob",
    iss: "x",
    aud: "x",
    via: "x",
    exp: "9",
    iat: "0",
  };
  const other = decodeJwt(
    await tokenOf(APP, { ...ALICE, claims: reserved }),
  );
  assert.deepEqual(other, decodeJwt(await tokenOf(APP, ALICE)));
});

Deno.test("a visitor has one name at a sandbox, another one at any other, and none that says who it is", async () => {
  const { tokenOf } = await setUp();
  async function nameOf(app: Partial<typeof APP>, who = ALICE.who) {
    const visitor = { ...ALICE, who };
    return decodeJwt(await tokenOf({ ...APP, ...app }, visitor)).sub;
  }
  const name = await nameOf({});
  assert.equal(await nameOf({ port: 3001 }), name);
  assert.notEqual(await nameOf({ aud: "other" }), name);
  for (
    const who of [
      ["user", "https://evil.example.com", "alice"],
      ["user", "https://id.example.com", "alic", "e"],
      ["key", "https://id.example.com", "alice"],
    ]
  ) assert.notEqual(await nameOf({}, who), name, String(who));
  const other = await setUp("another salt");
  assert.notEqual(decodeJwt(await other.tokenOf(APP, ALICE)).sub, name);
});

Deno.test("a token is sent again for half of its life, so that a hundred requests cost one signature", async () => {
  const { tokenOf, clock, signed } = await setUp();
  const tokens = await Promise.all(
    Array.from({ length: 100 }, () => tokenOf({ ...APP }, { ...ALICE })),
  );
  assert.deepEqual([new Set(tokens).size, signed.count], [1, 1]);
  clock.now += 29_999;
  assert.equal(await tokenOf(APP, ALICE), tokens[0]);
  clock.now += 2;
  assert.notEqual(await tokenOf(APP, ALICE), tokens[0]);
  assert.equal(signed.count, 2);
});

Deno.test("nobody gets the token of somebody else, or of another app", async () => {
  const { tokenOf, signed } = await setUp();
  const tokens = new Set([
    await tokenOf(APP, ALICE),
    await tokenOf(APP, { ...ALICE, who: [...ALICE.who, "x"] }),
    await tokenOf(APP, { ...ALICE, via: "bearer" }),
    await tokenOf(APP, { ...ALICE, claims: { email: "a@example.com" } }),
    await tokenOf(APP, { ...ALICE, claims: { email: "b@example.com" } }),
    await tokenOf(APP, { ...ALICE, claims: { name: "a@example.com" } }),
    await tokenOf({ ...APP, port: 3001 }, ALICE),
    await tokenOf({ ...APP, aud: "other" }, ALICE),
    await tokenOf({ ...APP, iss: "https://other.example.com" }, ALICE),
  ]);
  assert.deepEqual([tokens.size, signed.count], [9, 9]);
});

Deno.test("no more than a thousand tokens are kept, of whoever came last", async () => {
  const { tokenOf, signed } = await setUp();
  for (let nth = 0; nth <= 1000; nth++) {
    await tokenOf(APP, { ...ALICE, who: [String(nth)] });
  }
  await tokenOf(APP, { ...ALICE, who: ["1000"] });
  assert.equal(signed.count, 1001);
  await tokenOf(APP, { ...ALICE, who: ["0"] });
  assert.equal(signed.count, 1002);
});

Deno.test("a failure is not kept", async () => {
  const { tokenOf, failure } = await setUp();
  failure.error = new Error("away");
  await assert.rejects(tokenOf(APP, ALICE), /away/);
  delete failure.error;
  assert.match(await tokenOf(APP, ALICE), /^ey/);
});
