import assert from "node:assert/strict";
import { setImmediate as turnOfEventLoop } from "node:timers/promises";
import {
  Bulkheads,
  type Place,
  type UpstreamState,
} from "../../../src/proxy/bulkheads.ts";
import type { Destination } from "../../../src/resolver/destination.ts";
import type { BodyReader } from "../../../src/stream/body_reader.ts";
import { StreamError } from "../../../src/stream/stream_error.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";
import { destinationOn } from "../../support/destination.ts";
import { admittedRequest } from "../../support/exchange.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const [ONE, OTHER] = ["one", "other"].map((name) =>
  destinationOn({
    proxyUrl: `http://${name}.test/base/`,
    apiUrl: `http://${name}.test`,
    apiKey: "key",
  }, "box")
) as [Destination, Destination];

interface Visitor {
  readonly sandboxId: string;
  readonly contentLength: number | null;
  readonly clientAddress: string;
  readonly signal: AbortSignal;
}

/** Bulkheads whose clock and probes are the test's; nobody may wait for a place, unless there is a total. */
function setUp({ limit = 1000, total = 0 } = {}) {
  const clock = new ManualClock();
  const probes: {
    readonly destination: Destination;
    answer(isAlive: boolean): Promise<void>;
  }[] = [];
  const changes: UpstreamState[] = [];
  const bulkheads = new Bulkheads({
    name: "LIMIT",
    limit,
    queueName: "QUEUE",
    total,
    now: () => clock.now(),
    after: (ms, callback) => clock.after(ms, callback),
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
    {
      sandboxId = `box-${nth++}`,
      contentLength = null,
      clientAddress = "203.0.113.1",
      signal = new AbortController().signal,
    }: Partial<Visitor> = {},
    body: BodyReader | null = null,
  ): Place | Promise<Place> {
    const reply = { signal: () => signal };
    const exchange = { sandboxId, body, contentLength, clientAddress, reply };
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
    (error instanceof UpstreamError || error instanceof StreamError) &&
    error.code === code;
}

/** That nobody else gets in, nor waits. */
async function assertFull(
  enter: () => Place | Promise<Place>,
  code = "busy",
): Promise<void> {
  await assert.rejects(async () => await enter(), refused(code));
}

/** That a visitor who waits for a probe is refused; to be called before its answer. */
function refusal(visitor: Place | Promise<Place>): Promise<void> {
  return assert.rejects(async () => await visitor, refused("unresponsive"));
}

Deno.test("Bulkheads lets so many wait for an upstream, again as soon as one is over, and others for others", async () => {
  const { bulkheads, enter, enterNow, fill } = setUp({ limit: 4 });
  const [first] = fill(4);
  assert(first);
  await assertFull(enter);
  enterNow(OTHER);
  bulkheads.leave(first, false);
  enterNow();
  await assertFull(enter);
  assert.deepEqual(bulkheads.limitsInUse(), [
    { name: "LIMIT", used: 4, limit: 4 },
    { name: "QUEUE", used: 0, limit: 128 },
  ]);
});

Deno.test("Bulkheads lets one sandbox have a quarter of that", async () => {
  const { bulkheads, enter, enterNow } = setUp({ limit: 40 });
  for (const sandboxId of ["a", "b"]) {
    const places = Array.from(
      { length: 10 },
      () => enterNow(ONE, { sandboxId }),
    );
    await assertFull(() => enter(ONE, { sandboxId }), "sandbox_busy");
    for (const place of places.slice(0, 1)) bulkheads.leave(place, true);
    enterNow(ONE, { sandboxId });
  }
  enterNow(ONE, { sandboxId: "c" });
  assert.equal(bulkheads.limitsInUse()[0]?.used, 21);
});

Deno.test("Bulkheads counts nothing where the origin is one sandbox's own", () => {
  const { bulkheads } = setUp({ limit: 1 });
  const own = { ...ONE, livenessTarget: undefined };
  for (let i = 0; i < 3; i++) {
    assert.equal(bulkheads.enter(own, admittedRequest()), undefined);
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
  assert.equal(bulkheads.limitsInUse()[0]?.used, 10);
  await assertFull(enter);
  await probes[0]?.answer(false);
  await Promise.all(refusals);
  assert.equal(bulkheads.limitsInUse()[0]?.used, 8);
});

Deno.test("Bulkheads probes an upstream that silence has filled, too", async () => {
  const { clock, probes, enter, fill } = setUp({ limit: 8 });
  fill(8);
  clock.pass(10_000);
  await assertFull(enter);
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

/** Bulkheads of 40 places, of which a sandbox has 10, where as many wait as leave 20 of a hundred to others. */
const QUEUED = { limit: 40, total: 100 };

/** How a visitor's wait has ended, if it has. */
function outcomeOf(visitor: Place | Promise<Place>): { value: string } {
  const outcome = { value: "waits" };
  Promise.resolve(visitor).then(
    () => outcome.value = "in",
    ({ code }) => outcome.value = code,
  );
  return outcome;
}

Deno.test("Bulkheads has who exceeds the places of a sandbox wait for one, and others for theirs alone", async () => {
  const { bulkheads, enter, enterNow } = setUp(QUEUED);
  const a = { sandboxId: "a" };
  const places = Array.from({ length: 10 }, () => enterNow(ONE, a));
  const late = [outcomeOf(enter(ONE, a)), outcomeOf(enter(ONE, a))];
  enterNow(ONE, { sandboxId: "b" });
  await turnOfEventLoop();
  assert.deepEqual(late.map(({ value }) => value), ["waits", "waits"]);
  const [, queue] = bulkheads.limitsInUse();
  assert.deepEqual(queue, { name: "QUEUE", used: 2, limit: 128 });
  bulkheads.leave(places[0], true);
  await turnOfEventLoop();
  assert.deepEqual(late.map(({ value }) => value), ["in", "waits"]);
  assert.equal(bulkheads.limitsInUse()[0]?.used, 11);
});

Deno.test("Bulkheads has who exceeds the places of an upstream wait for one, sandbox by sandbox", async () => {
  const { bulkheads, enter, enterNow } = setUp({ limit: 4, total: 100 });
  const places = ["a", "b", "c", "d"].map((sandboxId) =>
    enterNow(ONE, { sandboxId })
  );
  const late = ["a", "a", "b"].map((id) =>
    outcomeOf(enter(ONE, { sandboxId: id }))
  );
  for (const place of places.slice(0, 2)) bulkheads.leave(place, true);
  await turnOfEventLoop();
  assert.deepEqual(late.map(({ value }) => value), ["in", "waits", "in"]);
});

Deno.test("Bulkheads lets clients in by turns: who asks once does not wait for all that another has asked before", async () => {
  const { bulkheads, enter, enterNow } = setUp(QUEUED);
  const a = { sandboxId: "a" };
  const places = Array.from({ length: 10 }, () => enterNow(ONE, a));
  const many = Array.from({ length: 19 }, () => outcomeOf(enter(ONE, a)));
  // Of the other /64, whichever address that has.
  const one = { ...a, clientAddress: "2001:db8::1" };
  const single = outcomeOf(enter(ONE, one));
  for (const place of places.slice(0, 2)) bulkheads.leave(place, true);
  await turnOfEventLoop();
  assert.equal(single.value, "in");
  assert.deepEqual(many.slice(0, 2).map(({ value }) => value), ["in", "waits"]);
});

Deno.test("Bulkheads refuses who does not fit into the queues any more, first of those of whom most wait", async () => {
  const { enter, enterNow } = setUp(QUEUED);
  const [a, b] = [{ sandboxId: "a" }, { sandboxId: "b" }];
  for (const sandbox of [a, b]) {
    for (let nth = 0; nth < 10; nth++) enterNow(ONE, sandbox);
  }
  const many = Array.from({ length: 60 }, () => outcomeOf(enter(ONE, a)));
  await assertFull(() => enter(ONE, a), "sandbox_busy");
  const other = outcomeOf(enter(ONE, b));
  await turnOfEventLoop();
  assert.equal(other.value, "waits");
  assert.deepEqual(
    many.map(({ value }) => value).filter((value) => value !== "waits"),
    ["sandbox_busy"],
  );
  assert.equal(many.at(-1)?.value, "sandbox_busy");
});

Deno.test("Bulkheads refuses who has waited for a place for 10 s, each after its own", async () => {
  const { clock, enter, enterNow } = setUp(QUEUED);
  const a = { sandboxId: "a" };
  for (let nth = 0; nth < 10; nth++) enterNow(ONE, a);
  const first = outcomeOf(enter(ONE, a));
  clock.pass(4000);
  const second = outcomeOf(enter(ONE, a));
  clock.pass(5999);
  await turnOfEventLoop();
  assert.equal(first.value, "waits");
  clock.pass(1);
  await turnOfEventLoop();
  assert.deepEqual([first.value, second.value], ["sandbox_busy", "waits"]);
  clock.pass(4000);
  await turnOfEventLoop();
  assert.equal(second.value, "sandbox_busy");
});

Deno.test("Bulkheads gives a client that leaves no place, and the next one its turn", async () => {
  const { bulkheads, clock, enter, enterNow } = setUp(QUEUED);
  const a = { sandboxId: "a" };
  const places = Array.from({ length: 10 }, () => enterNow(ONE, a));
  const leaving = new AbortController();
  const gone = outcomeOf(enter(ONE, { ...a, signal: leaving.signal }));
  const next = outcomeOf(enter(ONE, a));
  leaving.abort();
  await turnOfEventLoop();
  assert.deepEqual([gone.value, next.value], ["aborted", "waits"]);
  bulkheads.leave(places[0], true);
  clock.pass(20_000); // nobody's timer is left
  await turnOfEventLoop();
  assert.equal(next.value, "in");
  const late = () => enter(ONE, { ...a, signal: leaving.signal });
  await assert.rejects(async () => await late(), refused("aborted"));
});

Deno.test("Bulkheads refuses those who wait for a place at an upstream that becomes unresponsive", async () => {
  const { clock, probes, enter, enterNow, fill } = setUp(QUEUED);
  const a = { sandboxId: "a" };
  for (let nth = 0; nth < 10; nth++) enterNow(ONE, a);
  clock.pass(9000);
  const late = [outcomeOf(enter(ONE, a))];
  clock.pass(1000);
  late.push(outcomeOf(enter(ONE, a)), outcomeOf(enter()));
  await probes[0]?.answer(false);
  assert.deepEqual(
    late.map(({ value }) => value),
    Array(3).fill("unresponsive"),
  );
  fill(1, OTHER);
});

Deno.test("Bulkheads has nobody wait for a place at an upstream that is full and has answered nobody for 2 s", async () => {
  const { bulkheads, clock, enter, fill } = setUp(QUEUED);
  const [first] = fill(40);
  clock.pass(1999);
  const patient = outcomeOf(enter());
  clock.pass(1);
  await assertFull(enter);
  bulkheads.leave(first, true); // an answer: the patient one is next
  const next = outcomeOf(enter());
  await turnOfEventLoop();
  assert.deepEqual([patient.value, next.value], ["in", "waits"]);
});

Deno.test("Bulkheads lets a sandbox that has moved have the places that it had elsewhere, as soon as it gives them back", async () => {
  const { bulkheads, enter, enterNow } = setUp(QUEUED);
  const a = { sandboxId: "a" };
  const places = Array.from({ length: 10 }, () => enterNow(ONE, a));
  const moved = outcomeOf(enter(OTHER, a));
  bulkheads.leave(places[0], true);
  await turnOfEventLoop();
  assert.equal(moved.value, "in");
});

Deno.test("Bulkheads has two fifths of all exchanges wait for one upstream", async () => {
  const { bulkheads, enter, fill } = setUp({ limit: 250, total: 1000 });
  fill(250);
  const late = Array.from({ length: 150 }, () => outcomeOf(enter()));
  await assertFull(enter);
  await turnOfEventLoop();
  assert(late.every(({ value }) => value === "waits"));
  const [, queue] = bulkheads.limitsInUse();
  assert.deepEqual(queue, { name: "QUEUE", used: 150, limit: 150 });
});

Deno.test("Bulkheads leaves a fifth of all exchanges to others, however many upstreams are waited for, also if they come later", async () => {
  const { bulkheads, enter, fill } = setUp({ limit: 120, total: 480 });
  fill(120);
  const late = Array.from({ length: 128 }, () => outcomeOf(enter()));
  fill(120, OTHER);
  const others = Array.from(
    { length: 128 },
    () => outcomeOf(enter(OTHER)),
  );
  await turnOfEventLoop();
  const waiting = (all: readonly { value: string }[]) =>
    all.filter(({ value }) => value === "waits").length;
  assert.deepEqual([waiting(late), waiting(others)], [72, 72]);
  const [one, queue] = bulkheads.limitsInUse();
  assert.deepEqual([one?.used, queue?.used], [120, 72]);
  const third = destinationOn({
    proxyUrl: "http://third.test/base/",
    apiUrl: "http://third.test",
    apiKey: "key",
  }, "box");
  fill(120, third);
  await turnOfEventLoop();
  assert.equal(waiting(late) + waiting(others), 24);
});

Deno.test("Bulkheads has all of a page wait for one upstream, though another one is slow for many", async () => {
  const { enter, fill } = setUp({ limit: 120, total: 480 });
  fill(120);
  for (let nth = 0; nth < 128; nth++) outcomeOf(enter());
  const page = Array.from(
    { length: 128 },
    () => outcomeOf(enter(OTHER, { sandboxId: "page" })),
  );
  await turnOfEventLoop();
  assert.deepEqual(
    [...new Set(page.map(({ value }) => value))],
    ["in", "waits"],
  );
});
