import assert from "node:assert/strict";
import { setImmediate as turnOfEventLoop } from "node:timers/promises";
import { OwnPageShare } from "../../../src/gateway/own_page_share.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** A share by a clock that pages of `ms` take up, and the order in which they were made. */
function setUp() {
  const clock = new ManualClock();
  let timers = 0;
  const share = new OwnPageShare({
    now: () => clock.now(),
    after(ms, callback) {
      const isBatch = ms < WAIT_MS;
      if (isBatch) timers++;
      const cancel = clock.after(ms, () => {
        if (isBatch) timers--;
        callback();
      });
      return () => {
        if (isBatch) timers--;
        cancel();
      };
    },
  });
  const made: string[] = [];
  function make(
    client: string,
    ms: number,
    signal = new AbortController().signal,
  ): string | Promise<string> {
    return share.make(client, () => signal, () => {
      made.push(client);
      clock.pass(ms);
      return client;
    });
  }
  /** Makes one that waits for something, until it is told that this has come. */
  function begin(client: string): () => Promise<void> {
    const answer = Promise.withResolvers<string>();
    const { signal } = new AbortController();
    const page = share.make(client, () => signal, () => {
      made.push(client);
      return answer.promise;
    });
    return async () => {
      answer.resolve(client);
      await page;
      await turnOfEventLoop();
    };
  }
  return { clock, share, made, make, begin, timers: () => timers };
}

/** The longest wait, ms. */
const WAIT_MS = 10_000;

/** Uses up what may be used at once. */
function useUp({ make }: Pick<ReturnType<typeof setUp>, "make">): void {
  assert.equal(make("first", 60), "first");
}

function isRefused({ code }: { readonly code: string }): boolean {
  return code === "pages_overloaded";
}

Deno.test("OwnPageShare makes some dozens of pages at once, with nothing to wait for", () => {
  const { make } = setUp();
  for (let i = 0; i < 50; i++) assert.equal(make("a", 0.25), "a");
});

Deno.test("OwnPageShare has a flood of pages take a quarter of the processor, and those that have waited for 10 s refused", async () => {
  const { clock, made, make } = setUp();
  const pages = Array.from(
    { length: 2000 },
    async (_, nth) => await make(`client ${nth % 50}`, 1),
  );
  const ends = Promise.allSettled(pages);
  assert(made.length < 40, `${made.length} at once`);
  const before = made.length;
  const startedAt = clock.now();
  clock.pass(1000);
  const took = (made.length - before) / (clock.now() - startedAt);
  // A page takes half as much again around what is measured.
  assert(took > 0.1 && took <= 0.25 / 1.5, `${took} of the time`);
  clock.pass(WAIT_MS);
  const refused = (await ends).filter(({ status }) => status === "rejected");
  assert.equal(refused.length, 2000 - made.length);
  assert(refused.length > 0);
});

Deno.test("OwnPageShare makes pages of each client in its turn", async () => {
  const { clock, made, make } = setUp();
  const flood = Array.from({ length: 200 }, () => make("a", 1));
  const begun = made.length;
  const visitor = make("b", 1);
  clock.pass(20);
  assert.equal(await visitor, "b");
  assert(made.indexOf("b") <= begun + 2);
  clock.pass(2000);
  await Promise.all(flood);
});

Deno.test("OwnPageShare passes failures on, at once or later, and goes on", async () => {
  const { clock, share, make } = setUp();
  const fails = () => {
    throw new Error("bug");
  };
  const signal = () => new AbortController().signal;
  assert.throws(() => share.make("a", signal, fails), /bug/);
  const flood = Array.from({ length: 50 }, () => make("a", 1));
  const failed = assert.rejects(
    async () => await share.make("a", signal, fails),
    /bug/,
  );
  const behind = make("a", 1);
  clock.pass(2000);
  await failed;
  assert.equal(await behind, "a");
  await Promise.all(flood);
});

Deno.test("OwnPageShare has a bounded number wait, and refuses the last of whoever has most of them", async () => {
  const { clock, made, make } = setUp();
  const flood = Array.from({ length: 2100 }, async () => await make("a", 1));
  const ends = Promise.allSettled(flood);
  const atOnce = made.length;
  const visitor = make("b", 1);
  clock.pass(20);
  assert.equal(await visitor, "b");
  await assert.rejects(async () => await flood.at(-1), isRefused);
  clock.pass(WAIT_MS);
  const states = (await ends).map(({ status }) => status);
  const last = states.slice(atOnce + 1999);
  assert.deepEqual([...new Set(last)], ["rejected"]);
});

Deno.test("OwnPageShare lets a page that waits for something go on, at the price of 5 ms until it is made", async () => {
  const share = setUp();
  const { made, begin, clock } = share;
  const ends = Array.from({ length: 20 }, () => begin("a"));
  // Of 40 ms, each takes 5.5 while nobody knows what it does.
  assert.equal(made.length, 8);
  await ends[0]?.();
  assert.equal(made.length, 9, "5 ms are given back, and the next is made");
  clock.pass(2);
  await ends[1]?.();
  assert.equal(made.length, 9, "it may have taken 2 ms");
  await ends[2]?.();
  await ends[3]?.();
  assert.equal(made.length, 10);
  clock.pass(WAIT_MS / 2);
  assert.equal(made.length, 20);
  await Promise.all(ends.map((end) => end()));
});

Deno.test("OwnPageShare has one timer at a time", async () => {
  const share = setUp();
  const { clock, make, begin, timers } = share;
  const ends = Array.from({ length: 3 }, () => begin("a"));
  useUp(share);
  const pages = Array.from({ length: 9 }, () => make("b", 3));
  assert.equal(timers(), 1);
  for (const end of ends) {
    await end();
    assert.equal(timers(), 1);
  }
  clock.pass(WAIT_MS - 1);
  assert.equal(timers(), 0);
  await Promise.all(pages);
});

Deno.test("OwnPageShare has no timer once nobody waits any more", async () => {
  const share = setUp();
  const { clock, make, begin, timers } = share;
  const end = begin("a");
  useUp(share);
  const leaving = new AbortController();
  const left = assert.rejects(
    async () => await make("b", 1, leaving.signal),
    { code: "aborted" },
  );
  assert.equal(timers(), 1);
  leaving.abort();
  await left;
  assert.equal(timers(), 0);
  const made = make("b", 1);
  clock.pass(90);
  await end(); // which makes what waits
  assert.equal(await made, "b");
  assert.equal(timers(), 0);
});

Deno.test("OwnPageShare makes no page for a client that has left before its turn", async () => {
  const share = setUp();
  const { clock, made, make } = share;
  useUp(share);
  const leaving = new AbortController();
  const gone = assert.rejects(
    async () => await make("a", 1, leaving.signal),
    { code: "aborted" },
  );
  const staying = make("a", 1);
  leaving.abort();
  await gone;
  clock.pass(1000);
  assert.equal(await staying, "a");
  assert.deepEqual(made, ["first", "a"]);
  useUp(share);
  assert.throws(() => make("a", 1, leaving.signal), { code: "aborted" });
});
