import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";
import { IdentityKeys } from "../../../../src/features/identity/identity_keys.ts";
import { GatewayError } from "../../../../src/errors.ts";
import type { StoredRecord } from "../../../../src/records/stored_record.ts";
import { MemoryRecords } from "../../../support/memory_records.ts";
import { anyForm } from "../../../support/record_forms.ts";

const KEYS = anyForm("identity-keys");

const DAY_MS = 86_400_000;
const PAUSE_MS = 30_000;
const SECRET = "a secret of thirty-two characters";

/** A gateway with those secrets, whose clock is the test's. */
function gatewayWith(
  records: MemoryRecords,
  clock: { now: number },
  secrets: readonly string[] = [SECRET],
): IdentityKeys {
  return new IdentityKeys({ records, secrets, now: () => clock.now });
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

Deno.test("private keys and the salt are kept sealed", async () => {
  const { keys, records } = setUp();
  const { key, salt } = await keys.signing();
  assert.match(salt, /^[\w-]{43}$/);
  const found = await records.get(KEYS, "current");
  const stored = JSON.stringify(found);
  assert(key.d !== undefined && !stored.includes(key.d));
  assert(!stored.includes(salt));
});

Deno.test("the salt is one for all gateways and all keys, for years, and another one for other records", async () => {
  const { keys, records, clock } = setUp();
  const { kid, salt } = await keys.signing();
  for (const days of [30, 60, 2000]) {
    clock.now += days * DAY_MS;
    await keys.published();
    clock.now += DAY_MS;
    for (const each of [keys, gatewayWith(records, clock)]) {
      const now = await each.signing();
      assert.equal(now.salt, salt);
      assert.notEqual(now.kid, kid);
    }
  }
  assert.notEqual((await setUp().keys.signing()).salt, salt);
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
  await records.delete(KEYS, "current");
  clock.now += PAUSE_MS;
  assert.equal(await signerOf(keys), first);
  assert.equal(await signerOf(gatewayWith(records, clock)), first);
});

Deno.test("a gateway whose secrets open none of the keys adds one that signs at once, and publishes both", async () => {
  const { keys, records, clock } = setUp();
  const first = await signerOf(keys);
  const renewed = gatewayWith(records, clock, ["new"]);
  const second = await signerOf(renewed);
  assert.notEqual(second, first);
  assert.deepEqual(await idsOf(renewed), [first, second]);
  assert.deepEqual(await idsOf(keys), [first, second]);
  assert.equal(await signerOf(keys), first, "the only one that it opens");
});

Deno.test("keys outlive the secret that they were sealed by: a gateway that has another first seals them anew", async () => {
  const { keys, records, clock } = setUp();
  await keys.signing();
  clock.now += 29 * DAY_MS;
  const before = await keys.signing();
  const ids = await idsOf(keys);
  assert.equal(ids.length, 2);
  const appended = gatewayWith(records, clock, [SECRET, "new"]);
  assert.deepEqual(await appended.signing(), before);
  const rotated = gatewayWith(records, clock, ["new", SECRET]);
  assert.deepEqual((await rotated.signing()).salt, before.salt);
  const removed = gatewayWith(records, clock, ["new"]);
  const after = await removed.signing();
  assert.deepEqual(
    [after.kid, after.key, after.salt],
    [before.kid, before.key, before.salt],
  );
  assert.deepEqual(await idsOf(removed), ids);
  clock.now += DAY_MS;
  assert.equal(await signerOf(removed), ids[1], "the next one, too");
  assert.equal(await signerOf(keys), ids[1], "who knows it needs no secret");
});

Deno.test("gateways whose first secrets differ do not undo each other's seals more than once in a while", async () => {
  const { keys, records, clock } = setUp();
  const first = await signerOf(keys);
  clock.now += PAUSE_MS;
  const others = [[SECRET, "new"], ["new", SECRET]]
    .map((secrets) => gatewayWith(records, clock, secrets));
  const puts = () => records.asked.filter((each) => each.startsWith("put"));
  const { length } = puts();
  for (let round = 0; round < 20; round++) {
    for (const each of others) assert.equal(await signerOf(each), first);
  }
  assert(puts().length - length <= others.length);
});

Deno.test("a record that cannot be read is none, and is replaced", async () => {
  for (
    const data of [{}, null, "", [{ kid: "x" }], [{
      kid: "x",
      from: 0,
      published: "{}",
      sealed: "x",
    }]]
  ) {
    const { keys, records, clock } = setUp();
    const place = { id: "current", sandboxId: "", organizationId: null };
    const record = { ...place, createdAt: 1, expiresAt: null, data };
    await records.put(KEYS, record as StoredRecord, "absent");
    const kid = await signerOf(keys);
    assert.deepEqual(await idsOf(gatewayWith(records, clock)), [kid]);
  }
});

Deno.test("after a write that failed, the next one is tried half a minute later; what is known signs until then", async () => {
  const { records, clock } = setUp();
  let tries = 0;
  let isReadOnly = true;
  const store = {
    get: records.get.bind(records),
    put(...given: Parameters<MemoryRecords["put"]>) {
      tries++;
      return isReadOnly
        ? Promise.reject(new GatewayError("records_unavailable", "read-only"))
        : records.put(...given);
    },
  };
  const now = () => clock.now;
  const keys = new IdentityKeys({ records: store, secrets: [SECRET], now });
  for (const ask of [() => keys.signing(), () => keys.published()]) {
    for (let nth = 0; nth < 10; nth++) {
      await assert.rejects(ask, { code: "records_unavailable" });
    }
  }
  assert.equal(tries, 1);
  isReadOnly = false;
  clock.now += PAUSE_MS;
  const kid = await signerOf(keys);
  assert.equal(tries, 2);
  clock.now += 29 * DAY_MS;
  isReadOnly = true;
  for (let nth = 0; nth < 10; nth++) assert.equal(await signerOf(keys), kid);
  assert.equal(tries, 3);
  isReadOnly = false;
  clock.now += PAUSE_MS;
  assert.equal((await idsOf(keys)).length, 2);
});
