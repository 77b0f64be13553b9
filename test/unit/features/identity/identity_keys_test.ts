import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";
import { IdentityKeys } from "../../../../src/features/identity/identity_keys.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import { MemoryRecords } from "../../../support/memory_records.ts";

const DAY_MS = 86_400_000;
const SECRET = "a secret of thirty-two characters";

/** A gateway with those secrets, whose clock is the test's. */
function gatewayWith(
  records: MemoryRecords,
  clock: { now: number },
  secrets: readonly string[] = [SECRET],
): IdentityKeys {
  const now = () => clock.now;
  const sealer = createSealer({ secrets, purpose: "identity-key", now });
  return new IdentityKeys({ records, sealer, now });
}

function setUp() {
  const records = new MemoryRecords();
  const clock = { now: 1_700_000_000_000 };
  return { records, clock, keys: gatewayWith(records, clock) };
}

async function idsOf(keys: IdentityKeys): Promise<(string | undefined)[]> {
  return (await keys.published()).keys.map(({ kid }) => kid);
}

async function signerOf(keys: IdentityKeys): Promise<string> {
  return (await keys.signing()).kid;
}

Deno.test("the published keys verify what the signing key signs, and have no private part", async () => {
  const { keys } = setUp();
  const published = await keys.published();
  const { kid, key } = await keys.signing();
  const header = { alg: "ES256", kid };
  const jwt = await new SignJWT({ a: 1 }).setProtectedHeader(header).sign(key);
  const set = createLocalJWKSet(JSON.parse(JSON.stringify(published)));
  assert.equal((await jwtVerify(jwt, set)).payload["a"], 1);
  assert.deepEqual(Object.keys(published.keys[0] ?? {}).sort(), [
    "alg",
    "crv",
    "kid",
    "kty",
    "use",
    "x",
    "y",
  ]);
});

Deno.test("a key signs for a month, and the next one is published a day before, never more than two", async () => {
  const { keys, clock } = setUp();
  const first = await signerOf(keys);
  assert.deepEqual(await idsOf(keys), [first]);
  clock.now += 29 * DAY_MS - 1;
  assert.deepEqual(await idsOf(keys), [first]);
  clock.now += 1;
  const [known, second = "", ...others] = await idsOf(keys);
  assert.deepEqual([known, others], [first, []]);
  assert.equal(await signerOf(keys), first);
  clock.now += DAY_MS - 1;
  assert.equal(await signerOf(keys), first);
  clock.now += 1;
  assert.equal(await signerOf(keys), second);
  assert.deepEqual(await idsOf(keys), [first, second], "for what was signed");
  clock.now += 29 * DAY_MS;
  const third = (await idsOf(keys)).at(-1);
  assert.deepEqual(await idsOf(keys), [second, third]);
  assert.equal(new Set([first, second, third]).size, 3);
});

Deno.test("a gateway that nobody has used for long publishes the next key a day before it signs all the same", async () => {
  const { keys, clock } = setUp();
  const first = await signerOf(keys);
  clock.now += 45 * DAY_MS;
  assert.equal(await signerOf(keys), first);
  const [, second] = await idsOf(keys);
  clock.now += DAY_MS - 1;
  assert.equal(await signerOf(keys), first);
  clock.now += 1;
  assert.equal(await signerOf(keys), second);
});

Deno.test("gateways that share the records have the same keys, whoever made them, and at once", async () => {
  const { records, clock } = setUp();
  const gateways = [1, 2, 3].map(() => gatewayWith(records, clock));
  const signers = await Promise.all(gateways.map(signerOf));
  assert.equal(new Set(await Promise.all(gateways.map(signerOf))).size, 1);
  assert(signers.every((kid) => typeof kid === "string"));
  clock.now += 29 * DAY_MS;
  await Promise.all(gateways.map(idsOf));
  const sets = await Promise.all(gateways.map(idsOf));
  assert.equal(new Set(sets.map(String)).size, 1);
});

Deno.test("private keys are kept sealed", async () => {
  const { keys, records } = setUp();
  const { key } = await keys.signing();
  const found = await records.get("identity-keys", "current");
  const stored = JSON.stringify(found);
  assert(key.d !== undefined && !stored.includes(key.d));
});

Deno.test("while the store is away, the keys that are known go on, and nobody makes others", async () => {
  const { keys, records, clock } = setUp();
  records.isAway = true;
  await assert.rejects(keys.signing(), { code: "records_unavailable" });
  records.isAway = false;
  const first = await signerOf(keys);
  records.isAway = true;
  clock.now += 40 * DAY_MS;
  assert.equal(await signerOf(keys), first);
  assert.deepEqual(await idsOf(keys), [first]);
  records.isAway = false;
  assert.equal((await idsOf(keys)).length, 2);
});

Deno.test("keys that the store has lost are written again by whoever knows them", async () => {
  const { keys, records, clock } = setUp();
  const first = await signerOf(keys);
  await records.delete("identity-keys", "current");
  assert.equal(await signerOf(keys), first);
  assert.equal(await signerOf(gatewayWith(records, clock)), first);
});

Deno.test("a gateway whose secrets open none of the keys adds one that signs at once, and publishes both", async () => {
  const { keys, records, clock } = setUp();
  const first = await signerOf(keys);
  const rotated = gatewayWith(records, clock, ["new", SECRET]);
  assert.equal(await signerOf(rotated), first, "it still opens");
  const renewed = gatewayWith(records, clock, ["new"]);
  const second = await signerOf(renewed);
  assert.notEqual(second, first);
  assert.deepEqual(await idsOf(renewed), [first, second]);
  assert.deepEqual(await idsOf(keys), [first, second]);
  assert.equal(await signerOf(keys), first, "the only one that it opens");
});
