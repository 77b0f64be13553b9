import assert from "node:assert/strict";
import { setImmediate as turnOfEventLoop } from "node:timers/promises";
import {
  Bulkheads,
  type Place,
  type UpstreamState,
} from "../../../src/proxy/bulkheads.ts";
import type { Destination } from "../../../src/resolver/destination.ts";
import type { BodyReader } from "../../../src/upstream/http1/body_reader.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";
import { destinationOn } from "../../support/destination.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const [ONE, OTHER] = ["one", "other"].map((name) =>
  destinationOn({
    proxyUrl: `http://${name}.test/base/`,
    apiUrl: `http://${name}.test`,
    apiKey: "key",
  }, "box")
) as [Destination, Destination];

/** Bulkheads whose clock and probes are the test's. */
function setUp({ limit = 1000 } = {}) {
  const clock = new ManualClock();
  const probes: {
    readonly destination: Destination;
    answer(isAlive: boolean): Promise<void>;
  }[] = [];
  const changes: UpstreamState[] = [];
  const bulkheads = new Bulkheads({
    name: "LIMIT",
    limit,
    now: () => clock.now(),
    probe(destination) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      probes.push({
        destination,
        async answer(isAlive) {
          resolve(isAlive);
          await turnOfEventLoop();
        },
      });
      return promise;
    },
    onChange: ({ origin, waiting, isUnresponsive }) =>
      changes.push({ origin, waiting, isUnresponsive }),
  });
  let nth = 0;

  function enter(
    destination = ONE,
    { sandboxId = `box-${nth++}`, contentLength = null }: {
      sandboxId?: string;
      contentLength?: number | null;
    } = {},
    body: BodyReader | null = null,
  ): Place | Promise<Place> {
    const exchange = { sandboxId, body, contentLength };
    return bulkheads.enter(destination, exchange) ?? assert.fail("no place");
  }
  /** Enters at once. */
  function enterNow(...args: Parameters<typeof enter>): Place {
    const place = enter(...args);
    assert(!(place instanceof Promise));
    return place;
  }
  /** Has so many wait. */
  function fill(count: number, destination = ONE): Place[] {
    return Array.from({ length: count }, () => enterNow(destination));
  }
  return { bulkheads, clock, probes, changes, enter, enterNow, fill };
}

/** A body that is never read here. */
const BODY = {} as BodyReader;

function refused(code: string) {
  return (error: unknown) =>
    error instanceof UpstreamError && error.code === code;
}

/** That a visitor who waits for a probe is refused; to be called before its answer. */
function refusal(visitor: Place | Promise<Place>): Promise<void> {
  return assert.rejects(async () => await visitor, refused("unresponsive"));
}

Deno.test("Bulkheads lets so many wait for an upstream, again as soon as one is over, and others for others", () => {
  const { bulkheads, enterNow, fill } = setUp({ limit: 4 });
  const [first] = fill(4);
  assert(first);
  assert.throws(() => enterNow(), refused("busy"));
  enterNow(OTHER);
  bulkheads.leave(first, false);
  enterNow();
  assert.throws(() => enterNow(), refused("busy"));
  assert.deepEqual(bulkheads.inUse, { name: "LIMIT", used: 4, limit: 4 });
});

Deno.test("Bulkheads lets one sandbox have a quarter of that", () => {
  const { bulkheads, enterNow } = setUp({ limit: 40 });
  for (const sandboxId of ["a", "b"]) {
    const places = Array.from(
      { length: 10 },
      () => enterNow(ONE, { sandboxId }),
    );
    assert.throws(() => enterNow(ONE, { sandboxId }), refused("sandbox_busy"));
    for (const place of places.slice(0, 1)) bulkheads.leave(place, true);
    enterNow(ONE, { sandboxId });
  }
  enterNow(ONE, { sandboxId: "c" });
  assert.equal(bulkheads.inUse.used, 21);
});

Deno.test("Bulkheads counts nothing where the origin is one sandbox's own", () => {
  const { bulkheads } = setUp({ limit: 1 });
  const own = { ...ONE, livenessTarget: undefined };
  const exchange = { sandboxId: "box", body: null, contentLength: null };
  for (let i = 0; i < 3; i++) {
    assert.equal(bulkheads.enter(own, exchange), undefined);
  }
  assert.deepEqual(bulkheads.mostWaiting(10), []);
});

Deno.test("Bulkheads probes an upstream that answers nobody for 10 s while 8 wait, and refuses whoever comes if that fails", async () => {
  const { bulkheads, clock, probes, changes, enter, enterNow, fill } = setUp();
  fill(8);
  clock.pass(9999);
  enterNow();
  assert.equal(probes.length, 0);
  clock.pass(1);
  const refusals = [refusal(enter()), refusal(enter())];
  assert.equal(probes.length, 1);
  assert.equal(probes[0]?.destination.livenessTarget, "/base/");
  await probes[0].answer(false);
  await Promise.all(refusals);
  assert.throws(() => enter(), refused("unresponsive"));
  enterNow(OTHER);
  const state = {
    origin: "http://one.test:80",
    waiting: 9,
    isUnresponsive: true,
  };
  assert.deepEqual(changes, [{ ...state, waiting: 11 }]);
  assert.deepEqual(bulkheads.mostWaiting(1), [state]);
  assert.equal(bulkheads.unresponsive, 1);
});

Deno.test("Bulkheads lets no more wait for a probe's verdict than for responses", async () => {
  const { bulkheads, clock, probes, enter, fill } = setUp({ limit: 10 });
  fill(8);
  clock.pass(10_000);
  const refusals = [refusal(enter()), refusal(enter())];
  assert.equal(bulkheads.inUse.used, 10);
  assert.throws(() => enter(), refused("busy"));
  await probes[0]?.answer(false);
  await Promise.all(refusals);
  assert.equal(bulkheads.inUse.used, 8);
});

Deno.test("Bulkheads probes an upstream that silence has filled, too", async () => {
  const { clock, probes, enter, fill } = setUp({ limit: 8 });
  fill(8);
  clock.pass(10_000);
  assert.throws(() => enter(), refused("busy"));
  await probes[0]?.answer(false);
  assert.throws(() => enter(), refused("unresponsive"));
});

Deno.test("Bulkheads does not suspect an upstream for which 7 wait, that answers somebody, or that waits for clients' bodies", () => {
  const { bulkheads, clock, probes, enterNow, fill } = setUp();
  const [first] = fill(8);
  assert(first);
  clock.pass(9000);
  bulkheads.leave(first, true);
  fill(1);
  clock.pass(9000);
  enterNow();
  fill(7, OTHER);
  const uploads = [10, null].map((contentLength) =>
    enterNow(OTHER, { contentLength }, BODY)
  );
  for (const upload of uploads) bulkheads.sent(upload, 9);
  clock.pass(10_000);
  enterNow(OTHER, { contentLength: 1 }, BODY);
  assert.equal(probes.length, 0);
});

Deno.test("Bulkheads counts an upload among those that wait for an answer once all of it is sent", async () => {
  const { bulkheads, clock, probes, enter, enterNow, fill } = setUp();
  fill(7);
  const upload = enterNow(ONE, { contentLength: 10 }, BODY);
  bulkheads.sent(upload, 4);
  bulkheads.sent(upload, 6);
  clock.pass(10_000);
  const visitor = enter();
  await probes[0]?.answer(true);
  bulkheads.leave(await visitor, true);
  // It counts no more than once.
  bulkheads.leave(upload, true);
  clock.pass(10_000);
  enterNow();
  assert.equal(probes.length, 1);
});

Deno.test("Bulkheads lets everybody in where the probe is answered, and suspects the upstream again after another 10 s", async () => {
  const { clock, probes, changes, enter, enterNow, fill } = setUp();
  fill(8);
  clock.pass(60_000);
  const visitors = [enter(), enter()];
  await probes[0]?.answer(true);
  await Promise.all(visitors);
  clock.pass(9999);
  enterNow();
  assert.equal(probes.length, 1);
  clock.pass(1);
  assert(enter() instanceof Promise);
  assert.equal(probes.length, 2);
  assert.deepEqual(changes, []);
});

Deno.test("Bulkheads takes any answer for a sign of life, during a probe and after it", async () => {
  const { bulkheads, clock, probes, changes, enter, enterNow, fill } = setUp();
  const [first, second, third] = fill(10);
  assert(first && second && third);
  clock.pass(10_000);
  const visitor = enter();
  clock.pass(1);
  bulkheads.leave(first, true);
  await visitor; // not for the probe
  await probes[0]?.answer(false);
  assert.deepEqual(changes, []);
  enterNow();
  clock.pass(10_000);
  const late = refusal(enter());
  await probes[1]?.answer(false);
  await late;
  bulkheads.leave(second, false); // no answer
  assert.throws(() => enter(), refused("unresponsive"));
  bulkheads.leave(third, true);
  enterNow();
  assert.deepEqual(
    changes.map(({ isUnresponsive }) => isUnresponsive),
    [true, false],
  );
});

Deno.test("Bulkheads probes an unresponsive upstream at each tick, one probe at a time, until it answers", async () => {
  const { bulkheads, clock, probes, changes, enter, enterNow, fill } = setUp();
  fill(8);
  bulkheads.tick();
  clock.pass(10_000);
  const late = refusal(enter());
  bulkheads.tick();
  assert.equal(probes.length, 1);
  await probes[0]?.answer(false);
  await late;
  bulkheads.tick();
  bulkheads.tick();
  assert.equal(probes.length, 2);
  await probes[1]?.answer(false);
  assert.equal(changes.length, 1); // one line in the log
  bulkheads.tick();
  await probes[2]?.answer(true);
  enterNow();
  assert.equal(changes.at(-1)?.isUnresponsive, false);
  assert.equal(bulkheads.unresponsive, 0);
});

Deno.test("Bulkheads forgets upstreams for which nobody waits, and an unresponsive one a minute after it was last wanted", async () => {
  const { bulkheads, clock, probes, enter, fill } = setUp();
  const places = fill(8);
  clock.pass(10_000);
  const late = refusal(enter());
  await probes[0]?.answer(false);
  await late;
  for (const place of places) bulkheads.leave(place, false);
  clock.pass(59_999);
  bulkheads.tick();
  assert.equal(probes.length, 2);
  await probes[1]?.answer(false);
  assert.throws(() => enter(), refused("unresponsive"));
  clock.pass(60_000);
  bulkheads.tick();
  assert.equal(probes.length, 2);
  assert.equal(bulkheads.unresponsive, 0);
});

Deno.test("Bulkheads names those for which most wait, and no secret of theirs", () => {
  const { bulkheads, fill } = setUp();
  fill(1, OTHER);
  fill(2);
  const told = bulkheads.mostWaiting(10);
  assert.deepEqual(told.map(({ origin, waiting }) => [origin, waiting]), [
    ["http://one.test:80", 2],
    ["http://other.test:80", 1],
  ]);
  assert.deepEqual(bulkheads.mostWaiting(1), told.slice(0, 1));
  assert.deepEqual(Object.keys(told[0] ?? {}), [
    "origin",
    "waiting",
    "isUnresponsive",
  ]);
});

Deno.test("what is sent of a body after the answer has come counts for nothing", () => {
  const { bulkheads, clock, probes, enterNow } = setUp();
  for (let count = 0; count < 8; count++) {
    const place = enterNow(ONE, { contentLength: 10 }, BODY);
    bulkheads.leave(place, true); // a refusal before the end of the upload
    bulkheads.sent(place, 10);
  }
  enterNow();
  clock.pass(10_000);
  enterNow();
  assert.equal(probes.length, 0);
});
