import assert from "node:assert/strict";
import { KvAnnouncements } from "../../src/cache/kv_announcements.ts";
import { fakeKv, manualClock, oneValueKv } from "./fakes.ts";

Deno.test("a database that cannot be watched is asked ever more rarely, until it is closed", async () => {
  const { kv } = fakeKv(() => Promise.reject());
  const pauses: number[] = [];
  const announcements = new KvAnnouncements({
    database: () =>
      Promise.resolve({
        ...kv,
        watch: () => {
          throw new TypeError("not supported");
        },
      }),
    now: Date.now,
    sleep(ms) {
      pauses.push(ms);
      if (pauses.length === 20) announcements.close();
      return Promise.resolve();
    },
  });
  await announcements.listen(() => assert.fail("heard something"));
  assert.equal(pauses.length, 20);
  assert(pauses.every((ms) => ms >= 1000 && ms <= 120_000));
  assert(Math.max(...pauses.slice(10)) > 2000);
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
