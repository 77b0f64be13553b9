import assert from "node:assert/strict";
import { PasscodeTries } from "../../../../src/features/shares/passcode_tries.ts";
import { SecretHashes } from "../../../../src/lib/secret_hashes.ts";
import { MemoryValues } from "../../../support/memory_values.ts";

const MINUTE_MS = 60_000;
const ANN = "192.0.2.1";

/** Tries at the passcode of one share, which ends in a day. */
function setUp() {
  const clock = { now: 1_000_000_000_000 };
  const now = () => clock.now;
  const values = new MemoryValues();
  const hashes = new SecretHashes(["secret"], "share");
  const share = { id: "share-1", expiresAt: clock.now + 24 * 60 * MINUTE_MS };
  const tries = new PasscodeTries({ values: values.gateway(), hashes, now });
  const take = (client = ANN, of = share) => tries.take(of, client);
  const giveBack = (client = ANN) => tries.giveBack(share, client);
  return { clock, values, share, take, giveBack };
}

/** The waiting times of so many tries, one after the other. */
async function times(
  count: number,
  take: (nth: number) => ReturnType<PasscodeTries["take"]>,
): Promise<(number | "shut" | undefined)[]> {
  const waits: (number | "shut" | undefined)[] = [];
  for (let nth = 0; nth < count; nth++) waits.push(await take(nth));
  return waits;
}

Deno.test("a client has ten tries in any 15 minutes, and is told when the next one is", async () => {
  const { clock, take } = setUp();
  for (let i = 0; i < 10; i++) {
    assert.equal(await take(), undefined);
    clock.now += MINUTE_MS;
  }
  assert.equal(await take(), 5 * MINUTE_MS);
  clock.now += 5 * MINUTE_MS - 1;
  assert.equal(await take(), 1);
  clock.now += 1;
  assert.equal(await take(), undefined);
  assert.equal(await take(), MINUTE_MS);
});

Deno.test("clients are networks, and each share counts by itself", async () => {
  const { share, take } = setUp();
  const addresses = (nth: number) => `2001:db8::${nth + 1}`;
  const waits = await times(11, (nth) => take(addresses(nth)));
  assert.equal(waits.filter((wait) => wait === undefined).length, 10);
  assert.equal(await take("2001:db8:0:1::1"), undefined);
  assert.equal(await take(addresses(0), { ...share, id: "other" }), undefined);
});

Deno.test("tries that are made at once are no more", async () => {
  const { take } = setUp();
  const waits = await Promise.all(Array.from({ length: 40 }, () => take()));
  assert.equal(waits.filter((wait) => wait === undefined).length, 10);
});

Deno.test("a try that was right does not count, and no other one is forgotten for it", async () => {
  const { take, giveBack } = setUp();
  await times(9, () => take());
  for (let i = 0; i < 5; i++) {
    assert.equal(await take(), undefined);
    await giveBack();
  }
  assert.equal(await take(), undefined);
  assert.equal(await take(), 15 * MINUTE_MS);
});

Deno.test("after fifty tries of all, those wait who have never been right, and no others", async () => {
  const { clock, take, giveBack } = setUp();
  await take();
  await giveBack();
  await times(50, (nth) => take(`198.51.100.${nth}`));
  assert.equal(await take("203.0.113.1"), 15 * MINUTE_MS);
  assert.equal(await take("198.51.100.1"), 15 * MINUTE_MS);
  // They have their own ten all the same.
  assert.deepEqual(await times(10, () => take()), Array(10).fill(undefined));
  assert.equal(await take(), 15 * MINUTE_MS);
  clock.now += 15 * MINUTE_MS;
  assert.equal(await take("203.0.113.1"), undefined);
});

Deno.test("a bounded number of clients is remembered, and none by its address", async () => {
  const { values, take, giveBack } = setUp();
  for (let i = 0; i < 120; i++) {
    await take(`198.51.100.${i}`);
    await giveBack(`198.51.100.${i}`);
  }
  const [kept] = values.kept.values();
  const { tries, known } = JSON.parse(kept?.text ?? "{}");
  assert.deepEqual([tries, known.length], [[], 100]);
  assert.doesNotMatch(kept?.text ?? "", /198\.51/);
});

Deno.test("what is counted is kept as long as the share lasts", async () => {
  const { values, take, giveBack } = setUp();
  await take();
  assert.equal(values.keptMs, 24 * 60 * MINUTE_MS);
  await giveBack();
  assert.equal(values.keptMs, 24 * 60 * MINUTE_MS);
});

Deno.test("after 500 that failed in a share's life there is no other try, for nobody; those that were right count for nothing", async () => {
  const { clock, take, giveBack } = setUp();
  for (let nth = 0; nth < 500; nth++) {
    if (nth % 50 === 0) clock.now += 15 * MINUTE_MS;
    const client = `198.51.100.${nth % 50}`;
    assert.equal(await take(client), undefined, String(nth));
    if (nth % 100 !== 0) continue;
    await giveBack(client);
    assert.equal(await take(client), undefined);
  }
  assert.deepEqual([await take(), await take("198.51.100.0")], [
    "shut",
    "shut",
  ]);
});

Deno.test("while the store is away, nobody tries anything", async () => {
  const { values, take } = setUp();
  values.isAway = true;
  await assert.rejects(take(), { code: "records_unavailable" });
});
