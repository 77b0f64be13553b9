import assert from "node:assert/strict";
import { KvAnnouncements } from "../../../src/cache/kv_announcements.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { fakeKv, manualClock, oneValueKv, settled } from "./fakes.ts";

type WatchableKv = ReturnType<typeof oneValueKv>["kv"];

/** The pauses between twenty attempts to watch a database, ms, in which nothing is heard. */
async function pausesOf(database: WatchableKv): Promise<number[]> {
  const pauses: number[] = [];
  const announcements = new KvAnnouncements({
    database: () => Promise.resolve(database),
    now: Date.now,
    sleep(ms) {
      pauses.push(ms);
      if (pauses.length === 20) announcements.close();
      return Promise.resolve();
    },
  });
  await announcements.listen(() => assert.fail("heard something"));
  assert.equal(pauses.length, 20);
  return pauses;
}

Deno.test("a database that cannot be watched is asked ever more rarely, until it is closed", async () => {
  const { kv } = fakeKv(() => Promise.reject());
  const pauses = await pausesOf({
    ...kv,
    watch: () => {
      throw new TypeError("not supported");
    },
  });
  assert(pauses.every((ms) => ms >= 1000 && ms <= 120_000));
  assert(Math.max(...pauses.slice(10)) > 2000);
});

Deno.test("a watch that ends now and then begins anew soon, also if nobody has announced anything", async () => {
  const { kv } = oneValueKv();
  const pauses = await pausesOf({
    ...kv,
    watch: () => ReadableStream.from([[{ value: null, versionstamp: null }]]),
  });
  assert(Math.max(...pauses) <= 2000);
});

Deno.test("messages are kept for a minute, a hundred of them at most, and what is not ours is no message", async () => {
  const clock = manualClock();
  const fake = oneValueKv();
  const { kv } = fake;
  fake.value = new TextEncoder().encode('[1,null,{"id":1}]');
  const announcements = new KvAnnouncements({
    database: () => Promise.resolve(kv),
    now: () => clock.now(),
  });
  function kept(): string[] {
    assert(fake.value instanceof Uint8Array);
    return JSON.parse(new TextDecoder().decode(fake.value))
      .map(({ message }: { message: string }) => message);
  }
  await announcements.announce("old");
  assert.deepEqual(kept(), ["old"]);
  clock.time += 59_000;
  await announcements.announce("new");
  assert.deepEqual(kept(), ["old", "new"]);
  clock.time += 2_000;
  await announcements.announce("newest");
  assert.deepEqual(kept(), ["new", "newest"]);
  for (let i = 0; i < 200; i++) await announcements.announce(`${i}`);
  assert.equal(kept().length, 100);
  assert.equal(kept().at(-1), "199");
});

Deno.test("however many messages come at once, one write adds them all, and another one what came meanwhile", async () => {
  const fake = oneValueKv();
  const announcements = new KvAnnouncements({
    database: () => Promise.resolve(fake.kv),
    now: Date.now,
  });
  function announce(count: number): Promise<void[]> {
    return Promise.all(
      Array.from({ length: count }, (_, i) => announcements.announce(`${i}`)),
    );
  }
  const gate = Promise.withResolvers<void>();
  fake.commitGate = gate.promise;
  const first = announce(40);
  while (fake.commits === 0) await settled();
  const second = announce(50);
  gate.resolve();
  await Promise.all([first, second]);
  assert.equal(fake.commits, 2);
  assert(fake.value instanceof Uint8Array);
  const kept = JSON.parse(new TextDecoder().decode(fake.value));
  assert.equal(kept.length, 90);
});

Deno.test("a write that fails is told to whoever waits for it, and the next one is tried", async () => {
  let failures = 1;
  const fake = oneValueKv();
  const announcements = new KvAnnouncements({
    database: () =>
      failures-- > 0
        ? Promise.reject(new Error("away"))
        : Promise.resolve(fake.kv),
    now: Date.now,
  });
  const both = [announcements.announce("a"), announcements.announce("b")];
  for (const one of both) await assert.rejects(one, /away/);
  await announcements.announce("c");
  assert.equal(fake.commits, 1);
});

Deno.test("a write that hangs keeps others waiting for a second", async () => {
  using clock = fakeClock();
  const fake = oneValueKv();
  const announcements = new KvAnnouncements({
    database: () => Promise.resolve(fake.kv),
    now: Date.now,
  });
  fake.readGate = new Promise(() => {});
  announcements.announce("lost");
  await settled();
  fake.readGate = Promise.resolve();
  const next = announcements.announce("next");
  await settled();
  assert.equal(fake.commits, 0);
  clock.pass(1000);
  await next;
  assert.equal(fake.commits, 1);
});
