import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { Records } from "../../../src/records/records.ts";
import type { StoredRecord } from "../../../src/records/stored_record.ts";
import type { VersionedValues } from "../../../src/records/versioned_values.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { anyForm } from "../../support/record_forms.ts";

const TOKEN = anyForm("token");

const HOUR_MS = 3_600_000;

/** The time for which records are given while the database is away, ms. */
const STALE_MS = 300_000;

/** Where gateways hear of each other, unless they are cut off. */
class Announcements {
  readonly #listeners: ((message: string) => void)[] = [];
  readonly sent: string[] = [];
  areLost = false;

  announce(message: string): Promise<void> {
    this.sent.push(message);
    if (!this.areLost) { for (const each of this.#listeners) each(message); }
    return Promise.resolve();
  }

  listen(onMessage: (message: string) => void): void {
    this.#listeners.push(onMessage);
  }
}

/** A gateway's records, in a database that a test can take away, beside another gateway's. */
function setUp({ maxEntries = 100 } = {}) {
  const clock = fakeClock();
  clock.pass(1); // at 0, nothing would expire
  const values = new Map<string, { text: string; version: string }>();
  const state = { isAway: false, reads: 0, versions: 0 };
  /** Each read waits for it. */
  let gate = Promise.resolve();
  const database: VersionedValues = {
    async read(key) {
      state.reads++;
      const found = values.get(String(key));
      await gate;
      if (state.isAway) throw new Error("away");
      return found;
    },
    write({ key, version, text }) {
      if (state.isAway) return Promise.reject(new Error("away"));
      const name = String(key);
      if (values.get(name)?.version !== version) {
        return Promise.resolve(undefined);
      }
      const next = String(++state.versions);
      if (text === undefined) values.delete(name);
      else values.set(name, { text, version: next });
      return Promise.resolve(next);
    },
    close() {},
  };
  const announcements = new Announcements();
  function gateway(staleIfErrorMs = STALE_MS): Records {
    const records = new Records({
      open: () =>
        state.isAway
          ? Promise.reject(new Error("away"))
          : Promise.resolve(database),
      maxEntries,
      now: Date.now,
      onFailure() {},
    });
    return records.join(announcements, { staleIfErrorMs });
  }
  return {
    clock,
    announcements,
    gateway,
    state,
    values,
    one: gateway(),
    other: gateway(),
    /** Has all reads from now on wait until it is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    [Symbol.dispose]: () => clock[Symbol.dispose](),
  };
}

function recordOf(id: string, data = 0, lifeMs = 24 * HOUR_MS): StoredRecord {
  const now = Date.now();
  return {
    id,
    sandboxId: "sandbox",
    organizationId: null,
    createdAt: now,
    expiresAt: now + lifeMs,
    data,
  };
}

const UNAVAILABLE = { code: "records_unavailable" };

Deno.test("what another gateway has changed is seen within 5 s by who does not hear of it, and not asked for before", async () => {
  using world = setUp();
  world.announcements.areLost = true;
  const { one, other, clock, state } = world;
  const written = await one.put(TOKEN, recordOf("a", 1), "absent");
  assert(typeof written === "object");
  assert.equal((await other.get(TOKEN, "a"))?.record.data, 1);
  await one.put(TOKEN, recordOf("a", 2), written);
  assert.equal((await one.get(TOKEN, "a"))?.record.data, 2);
  const { reads } = state;
  clock.pass(5_000);
  assert.equal((await other.get(TOKEN, "a"))?.record.data, 1);
  assert.equal(state.reads, reads);
  clock.pass(1);
  assert.equal((await other.get(TOKEN, "a"))?.record.data, 2);
  await one.delete(TOKEN, "a");
  assert.equal(await one.get(TOKEN, "a"), undefined);
  clock.pass(5_001);
  assert.equal(await other.get(TOKEN, "a"), undefined);
});

Deno.test("a record whose data alone changes is not listed again", async () => {
  using world = setUp();
  const { one, state } = world;
  const record = { ...recordOf("a", 1), organizationId: "organization" };
  const written = await one.put(TOKEN, record, "absent");
  assert(typeof written === "object");
  const { reads, versions } = state;
  await one.put(TOKEN, { ...record, data: 2 }, written);
  assert.deepEqual([state.reads - reads, state.versions - versions], [1, 1]);
});

Deno.test("what is not there is asked for once in 5 s, and by many at once", async () => {
  using world = setUp();
  const { one, other, clock, state } = world;
  world.announcements.areLost = true;
  const many = Array.from({ length: 100 }, () => one.get(TOKEN, "a"));
  assert.deepEqual(new Set(await Promise.all(many)), new Set([undefined]));
  assert.equal(state.reads, 1);
  await other.put(TOKEN, recordOf("a"), "absent");
  assert.equal(await one.get(TOKEN, "a"), undefined);
  clock.pass(5_001);
  assert.equal((await one.get(TOKEN, "a"))?.record.id, "a");
});

Deno.test("a record that is written while it is read is not remembered as it was", async () => {
  using world = setUp();
  const { one, other } = world;
  const written = await other.put(TOKEN, recordOf("a", 1), "absent");
  assert(typeof written === "object");
  const release = world.hold();
  const reading = one.get(TOKEN, "a");
  const writing = one.put(TOKEN, recordOf("a", 2), written);
  release();
  await reading;
  await writing;
  assert.equal((await one.get(TOKEN, "a"))?.record.data, 2);
});

Deno.test("while the database is away, what was read in the last minutes is given, and nothing is written", async () => {
  using world = setUp();
  const { one, other, clock, state } = world;
  const written = await one.put(TOKEN, recordOf("a"), "absent");
  assert(typeof written === "object");
  await one.put(TOKEN, recordOf("b", 0, 1_000), "absent");
  state.isAway = true;
  clock.pass(STALE_MS);
  assert.equal((await one.get(TOKEN, "a"))?.record.id, "a");
  assert.equal(await one.get(TOKEN, "b"), undefined); // it is over
  await assert.rejects(one.put(TOKEN, recordOf("a"), written), UNAVAILABLE);
  await assert.rejects(one.delete(TOKEN, "a"), UNAVAILABLE);
  await assert.rejects(one.list(TOKEN, "sandbox"), UNAVAILABLE);
  await assert.rejects(one.get(TOKEN, "c"), UNAVAILABLE);
  await assert.rejects(other.get(TOKEN, "a"), UNAVAILABLE);
  assert.equal((await one.get(TOKEN, "a"))?.record.id, "a");
  clock.pass(1);
  await assert.rejects(one.get(TOKEN, "a"), UNAVAILABLE);
  state.isAway = false;
  clock.pass(10_000); // the circuit breaker's pause
  assert.equal((await one.get(TOKEN, "a"))?.record.id, "a");
});

Deno.test("made-up ids take no record's place in memory", async () => {
  using world = setUp({ maxEntries: 10 });
  const { one, clock, state } = world;
  await one.put(TOKEN, recordOf("a"), "absent");
  await one.get(TOKEN, "a");
  for (let at = 0; at < 1_000; at++) await one.get(TOKEN, `made-up-${at}`);
  state.isAway = true;
  clock.pass(10_000);
  assert.equal((await one.get(TOKEN, "a"))?.record.id, "a");
});

Deno.test("what a deletion left in a list that failed amid it is taken out", async () => {
  using world = setUp();
  const { one, values } = world;
  await one.put(TOKEN, recordOf("a"), "absent");
  await one.put(TOKEN, recordOf("b"), "absent");
  values.delete("record,token,a");
  const { items } = await one.list(TOKEN, "sandbox");
  assert.deepEqual(items.map(({ record }) => record.id), ["b"]);
  assert.doesNotMatch(
    values.get("sandbox-records,token,sandbox")?.text ?? "",
    /"a"/,
  );
});

Deno.test("without a database there are no records", async () => {
  const records = new Records({
    open: null,
    maxEntries: 1,
    now: Date.now,
    onFailure() {},
  });
  assert.equal(records.isOn, false);
  await assert.rejects(records.get(TOKEN, "a"), UNAVAILABLE);
  assert.match((await records.doubts()).join(), /keeps nothing/);
});

Deno.test("a record that cannot be read is in no page, hides no other, and is not written over", async () => {
  using world = setUp();
  const { one, other, values } = world;
  for (const id of ["a", "b"]) await one.put(TOKEN, recordOf(id), "absent");
  for (const text of ["{", "{}", "null", '{"id":"a"}']) {
    values.set("record,token,a", { text, version: "theirs" });
    const { items } = await one.list(TOKEN, "sandbox");
    assert.deepEqual(items.map(({ record }) => record.id), ["b"]);
    await assert.rejects(other.get(TOKEN, "a"), UNAVAILABLE);
    await assert.rejects(one.put(TOKEN, recordOf("a"), "absent"), UNAVAILABLE);
    await assert.rejects(one.delete(TOKEN, "a"), UNAVAILABLE);
    assert.equal(values.get("record,token,a")?.text, text);
  }
  values.delete("record,token,a");
  assert.equal((await one.list(TOKEN, "sandbox")).items.length, 1);
});

Deno.test("while a sandbox's list cannot be read, that is said, and its records are as they were", async () => {
  using world = setUp();
  const { one, values } = world;
  await one.put(TOKEN, recordOf("a"), "absent");
  for (const text of ["{}", '{"listed":null}', '{"listed":[null]}', "[]"]) {
    const key = "sandbox-records,token,sandbox";
    values.set(key, { text, version: "theirs" });
    await assert.rejects(one.list(TOKEN, "sandbox"), UNAVAILABLE, text);
    await assert.rejects(one.put(TOKEN, recordOf("b"), "absent"), UNAVAILABLE);
    assert.equal(values.get(key)?.text, text);
    values.delete("record,token,b");
  }
  assert.equal((await one.get(TOKEN, "a"))?.record.id, "a");
});

Deno.test("a part of an organization's list that cannot be read stops no sandbox's records, and begins anew", async () => {
  using world = setUp();
  const { one, values } = world;
  const organizationId = "acme";
  const parts = Array.from({ length: 31 }, (_, at) => `${at}`)
    .map((part) => `organization-records,token,acme,${part}`);
  for (const [at, text] of ["{}", '{"listed":null}', "null"].entries()) {
    for (const key of parts) values.set(key, { text, version: `v${at}` });
    for (const sandboxId of ["one", "two"]) {
      const record = { ...recordOf(sandboxId), sandboxId, organizationId };
      assert.equal(typeof await one.put(TOKEN, record, "absent"), "object");
      assert.equal((await one.list(TOKEN, sandboxId)).items.length, 1);
      assert(await one.delete(TOKEN, sandboxId));
    }
    const healed = parts.filter((key) => values.get(key)?.text !== text);
    assert.equal(healed.length, 1);
    const aside = `set-aside,${healed[0]},v${at}`;
    assert.equal(values.get(aside)?.text, text);
  }
});

Deno.test("a sandbox's list that cannot be read keeps none of its records from ending, nor another sandbox's from being made", async () => {
  using world = setUp();
  const { one, values } = world;
  await one.put(TOKEN, recordOf("a"), "absent");
  const key = "sandbox-records,token,sandbox";
  values.set(key, { text: "null", version: "theirs" });
  assert(await one.delete(TOKEN, "a"));
  assert.equal(await one.get(TOKEN, "a"), undefined);
  const other = { ...recordOf("b"), sandboxId: "other" };
  assert.equal(typeof await one.put(TOKEN, other, "absent"), "object");
  assert.equal(values.get(key)?.text, "null");
});

Deno.test("a record is changed as it is by then, by whichever gateway, and one that is gone or over is not", async () => {
  using world = setUp();
  const { one, other, clock } = world;
  await one.put(TOKEN, recordOf("a", 0, 1_000), "absent");
  await other.get(TOKEN, "a");
  const add = (records: Records, more: number) =>
    records.update(TOKEN, "a", (record) => ({
      ...record,
      data: Number(record.data) + more,
    }));
  await Promise.all([add(one, 1), add(one, 2)]);
  await Promise.all([add(other, 4), add(other, 8)]);
  await add(one, 0);
  assert.equal((await one.get(TOKEN, "a"))?.record.data, 15);
  assert.equal((await other.get(TOKEN, "a"))?.record.data, 15);
  assert.equal(await one.update(TOKEN, "a", () => undefined), undefined);
  assert.equal(await one.update(TOKEN, "b", (it) => it), undefined);
  clock.pass(1_000);
  assert.equal(await add(one, 1), undefined);
});

Deno.test("what one gateway has ended, another refuses at once, though the database goes away right then", async () => {
  using world = setUp();
  const { one, other, clock, state } = world;
  await one.put(TOKEN, recordOf("a"), "absent");
  assert.equal((await other.get(TOKEN, "a"))?.record.id, "a");
  assert.equal(await one.delete(TOKEN, "a"), true);
  state.isAway = true;
  for (const records of [one, other]) {
    for (let passed = 0; passed < 60_000; passed += 6_000) {
      assert.equal(await records.get(TOKEN, "a"), undefined);
      clock.pass(6_000);
    }
  }
});

Deno.test("what one gateway has changed, another reads again at once, or gives as it was while it cannot", async () => {
  using world = setUp();
  const { one, other, state, clock } = world;
  const written = await one.put(TOKEN, recordOf("a", 1), "absent");
  assert(typeof written === "object");
  const dataAt = async (records: Records) =>
    (await records.get(TOKEN, "a"))?.record.data;
  assert.equal(await dataAt(other), 1);
  const again = await one.put(TOKEN, recordOf("a", 2), written);
  assert(typeof again === "object");
  assert.equal(await dataAt(other), 2);
  await one.put(TOKEN, recordOf("a", 3), again);
  state.isAway = true;
  assert.equal(await dataAt(other), 2);
  state.isAway = false;
  clock.pass(10_000); // the circuit breaker's pause
  assert.equal(await dataAt(other), 3);
});

Deno.test("who hears of an end reads the record again, should somebody have made it up", async () => {
  using world = setUp();
  const { one, announcements } = world;
  await one.put(TOKEN, recordOf("a"), "absent");
  const forged = { record: "record,token,a", isEnd: true, by: "somebody" };
  await announcements.announce(JSON.stringify(forged));
  await announcements.announce("{");
  await announcements.announce(JSON.stringify({ ...forged, isEnd: 1 }));
  assert.equal((await one.get(TOKEN, "a"))?.record.id, "a");
});

Deno.test("a read that was under way when another gateway ended the record is not remembered", async () => {
  using world = setUp();
  const { one, other, state } = world;
  await one.put(TOKEN, recordOf("a"), "absent");
  await other.get(TOKEN, "unknown"); // the database is open
  const release = world.hold();
  const reading = other.get(TOKEN, "a");
  await turn();
  world.hold()(); // only that one waits
  assert.equal(await one.delete(TOKEN, "a"), true);
  release();
  assert.equal((await reading)?.record.id, "a");
  state.isAway = true;
  await assert.rejects(other.get(TOKEN, "a"), UNAVAILABLE);
});

Deno.test("what was written is given while the database is away, and after a write that failed what was there before", async () => {
  using world = setUp();
  const { one, state, clock } = world;
  const used = (record: StoredRecord) => ({ ...record, data: 2 });
  await one.put(TOKEN, recordOf("a", 1), "absent");
  await one.update(TOKEN, "a", used);
  state.isAway = true;
  clock.pass(6_000);
  assert.equal((await one.get(TOKEN, "a"))?.record.data, 2);
  await assert.rejects(one.update(TOKEN, "a", used), UNAVAILABLE);
  await assert.rejects(one.delete(TOKEN, "a"), UNAVAILABLE);
  assert.equal((await one.get(TOKEN, "a"))?.record.data, 2);
});

Deno.test("a write that another gateway's change may have followed is read again", async () => {
  using world = setUp();
  const { one, other, announcements } = world;
  await one.put(TOKEN, recordOf("a", 1), "absent");
  await one.update(TOKEN, "a", (record) => {
    const theirs = { record: "record,token,a", isEnd: false, by: "another" };
    announcements.announce(JSON.stringify(theirs));
    return { ...record, data: 2 };
  });
  const { reads } = world.state;
  assert.equal((await one.get(TOKEN, "a"))?.record.data, 2);
  assert.equal(world.state.reads, reads + 1);
  assert.equal((await other.get(TOKEN, "a"))?.record.data, 2);
});

Deno.test("where an outage is to admit nobody, what is read lasts for 5 s", async () => {
  using world = setUp();
  const records = world.gateway(0);
  assert.equal(records.endedWithinMs, 5_000);
  assert.equal(world.one.endedWithinMs, STALE_MS);
  await records.put(TOKEN, recordOf("a"), "absent");
  world.state.isAway = true;
  world.clock.pass(5_000);
  assert.equal((await records.get(TOKEN, "a"))?.record.id, "a");
  world.clock.pass(1);
  await assert.rejects(records.get(TOKEN, "a"), UNAVAILABLE);
});
