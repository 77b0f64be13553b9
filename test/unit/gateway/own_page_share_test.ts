import assert from "node:assert/strict";
import { OwnPageShare } from "../../../src/gateway/own_page_share.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** A share by a clock that pages of `ms` take up, and the order in which they were made. */
function setUp() {
  const clock = new ManualClock();
  const share = new OwnPageShare({
    now: () => clock.now(),
    after: (ms, callback) => void clock.after(ms, callback),
  });
  const made: string[] = [];
  function make(client: string, ms: number): string | Promise<string> {
    return share.make(client, () => {
      made.push(client);
      clock.pass(ms);
      return client;
    });
  }
  return { clock, share, made, make };
}

Deno.test("OwnPageShare makes some dozens of pages at once, with nothing to wait for", () => {
  const { make } = setUp();
  for (let i = 0; i < 50; i++) assert.equal(make("a", 0.25), "a");
});

Deno.test("OwnPageShare has a flood of pages take a quarter of the processor", async () => {
  const { clock, made, make } = setUp();
  const pages = Array.from({ length: 1000 }, () => make("a", 1));
  assert(made.length < 40, `${made.length} at once`);
  const before = made.length;
  const startedAt = clock.now();
  clock.pass(1000);
  const took = (made.length - before) / (clock.now() - startedAt);
  // A page takes half as much again around what is measured.
  assert(took > 0.1 && took <= 0.25 / 1.5, `${took} of the time`);
  clock.pass(10_000);
  await Promise.all(pages);
  assert.equal(made.length, 1000);
});

Deno.test("OwnPageShare makes pages of each client in its turn", async () => {
  const { clock, made, make } = setUp();
  const flood = Array.from({ length: 200 }, () => make("a", 1));
  const begun = made.length;
  const visitor = make("b", 1);
  clock.pass(20);
  assert.equal(await visitor, "b");
  assert(made.indexOf("b") <= begun + 2);
  clock.pass(10_000);
  await Promise.all(flood);
});

Deno.test("OwnPageShare passes failures on, at once or later, and goes on", async () => {
  const { clock, share, make } = setUp();
  const fails = () => {
    throw new Error("bug");
  };
  assert.throws(() => share.make("a", fails), /bug/);
  const flood = Array.from({ length: 50 }, () => make("a", 1));
  const failed = assert.rejects(
    async () => await share.make("a", fails),
    /bug/,
  );
  const behind = make("a", 1);
  clock.pass(10_000);
  await failed;
  assert.equal(await behind, "a");
  await Promise.all(flood);
});

Deno.test("OwnPageShare has a bounded number wait, and makes what is more at once", async () => {
  const { clock, made, make } = setUp();
  const flood = Array.from({ length: 3000 }, () => make("a", 1));
  const waiting = 3000 - made.length;
  assert.equal(waiting, 2000);
  clock.pass(100_000);
  await Promise.all(flood);
});
