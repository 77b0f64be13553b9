import assert from "node:assert/strict";
import { setImmediate as turnOfEventLoop } from "node:timers/promises";
import { ClientPlaces } from "../../../src/proxy/client_places.ts";
import type { IdCount } from "../../../src/proxy/counts.ts";
import { InFlight } from "../../../src/proxy/in_flight.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** Places of clients, of which each may have one, and the fates of those who wait. */
function setUp() {
  const clock = new ManualClock();
  const places = new ClientPlaces(1, 0, (ms, back) => clock.after(ms, back));
  function wait(client: string, { signal } = new AbortController()) {
    const fate: { value: string; place?: IdCount } = { value: "waits" };
    const refusal = () => new Error("refused");
    places.wait(client, { signal, refusal }).then((place) => {
      fate.value = "in";
      fate.place = place;
    }, ({ code, message }) => fate.value = code ?? message);
    return fate;
  }
  function take(client: string): IdCount {
    return places.take(client) ?? assert.fail("no place");
  }
  return { clock, places, wait, take };
}

Deno.test("ClientPlaces gives a place that is given back to who has waited longest of its client", async () => {
  const { places, wait, take } = setUp();
  const [one, other] = [take("one"), take("other")];
  const [first, second] = [wait("one"), wait("one")];
  const others = wait("other");
  places.leave("one", one);
  await turnOfEventLoop();
  assert.deepEqual(
    [first.value, second.value, others.value],
    ["in", "waits", "waits"],
  );
  assert.equal(places.take("one"), undefined);
  places.leave("other", other);
  places.leave("one", first.place ?? assert.fail());
  await turnOfEventLoop();
  assert.deepEqual([second.value, others.value], ["in", "in"]);
});

Deno.test("ClientPlaces refuses who has waited for 10 s, and gives nobody's place to who has left", async () => {
  const { clock, places, wait, take } = setUp();
  const place = take("one");
  const leaving = new AbortController();
  const [late, gone] = [wait("one"), wait("one", leaving)];
  clock.pass(5000);
  const next = wait("one");
  leaving.abort();
  clock.pass(5000);
  await turnOfEventLoop();
  assert.equal(late.value, "refused");
  assert.equal(gone.value, "aborted");
  assert.equal(places.queued, 1);
  places.leave("one", place);
  clock.pass(20_000);
  await turnOfEventLoop();
  assert.equal(next.value, "in");
});

Deno.test("ClientPlaces refuses who does not fit in, first of the client of which most wait", async () => {
  const { wait, take } = setUp();
  take("one");
  take("other");
  const many = Array.from({ length: 128 }, () => wait("one"));
  const other = wait("other");
  await turnOfEventLoop();
  assert.equal(other.value, "waits");
  assert.deepEqual(
    many.flatMap(({ value }, nth) => value === "waits" ? [] : [nth]),
    [127],
  );
});

Deno.test("ClientPlaces has nobody wait any more once the gateway drains", async () => {
  const { clock, places, wait, take } = setUp();
  const place = take("one");
  const before = wait("one");
  places.refuseWaiting();
  const after = wait("one");
  await turnOfEventLoop();
  assert.deepEqual([before.value, after.value], Array(2).fill("draining"));
  places.leave("one", place);
  clock.pass(20_000);
  assert.deepEqual(places.limitInUse, {
    name: "QUEUED_BY_CLIENT",
    used: 0,
    limit: 128,
  });
});

Deno.test("an exchange that waits for its client's place takes none of all, and a drain waits for it", async () => {
  const inFlight = new InFlight({
    concurrentExchanges: 2,
    exchangesPerSandbox: 1,
    tunnelsPerSandbox: 1,
    exchangesPerClient: 1,
    tunnels: 1,
    tunnelsPerClient: 1,
  }, () => () => {});
  const [first, second] = [inFlight.begin(), inFlight.begin()];
  assert.equal(first?.reserveForClient("one"), true);
  assert.equal(second?.reserveForClient("one"), false);
  const { signal } = new AbortController();
  const refusal = () => new Error("refused");
  const waiting = second?.waitForClient({ signal, refusal });
  assert.deepEqual([inFlight.count, inFlight.exchangeCount], [2, 1]);
  inFlight.startDraining();
  let isDrained = false;
  const drained = inFlight.drained().then(() => isDrained = true);
  first?.end();
  await waiting;
  assert.deepEqual([inFlight.count, inFlight.exchangeCount], [1, 1]);
  assert(!isDrained);
  second?.end();
  await drained;
  assert.equal(inFlight.begin()?.reserveForClient("one"), true);
  assert.equal(inFlight.queued, 0);
});
