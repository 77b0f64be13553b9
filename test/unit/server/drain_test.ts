/** What a graceful shutdown ends, and what it leaves the time to end. */
import assert from "node:assert/strict";
import { InFlight } from "../../../src/proxy/in_flight.ts";
import { createDrain } from "../../../src/server/drain.ts";
import { configOf } from "../../support/config.ts";
import { fakeClock } from "../../support/fake_clock.ts";

const LIMITS = {
  concurrentExchanges: 10,
  exchangesPerSandbox: 10,
  tunnelsPerSandbox: 10,
  exchangesPerClient: 10,
  tunnels: 10,
  tunnelsPerClient: 10,
};

/** A drain whose time is up, and what happens in it. */
function setUp() {
  const inFlight = new InFlight(LIMITS);
  const events: string[] = [];
  const { listen } = configOf();
  const { drain } = createDrain({ listen }, {
    inFlight,
    ownRequests: new InFlight(LIMITS),
    upstream: { close: () => void events.push("upstreams closed") },
    store: null,
    dispatch: { refuseNew() {} },
    closing: new AbortController().signal,
  });
  /** Begins what lasts until it is aborted, or the function returned is called. */
  function begin(name: string, isTunnel: boolean, onAbort?: () => void) {
    const entry = inFlight.begin();
    if (isTunnel) entry?.reserveTunnel();
    entry?.setHandle({
      abort() {
        events.push(`${name} aborted`);
        onAbort?.();
        entry.end();
      },
      recheck: () => Promise.resolve(true),
    });
    return () => entry?.end();
  }
  return { events, begin, drain };
}

Deno.test("a POST that comes while the last WebSockets are ended is not, and the port closes before it is waited for", async () => {
  const { events, begin, drain } = setUp();
  let endPost = () => {};
  begin("first tunnel", true, () => {
    begin("second tunnel", true);
    endPost = begin("post", false) ?? endPost;
  });
  const isDrained = await drain(0, 20, () => {
    events.push("port closed");
    endPost();
    return Promise.resolve();
  });
  assert.equal(isDrained, false);
  assert.deepEqual(events, [
    "first tunnel aborted",
    "second tunnel aborted",
    "port closed",
    "upstreams closed",
  ]);
});

Deno.test("one that takes longer than half a second then is aborted, and answered before its upstream is gone", async () => {
  using clock = fakeClock();
  const { events, begin, drain } = setUp();
  const closed = Promise.withResolvers<void>();
  begin("tunnel", true, () => void begin("post", false));
  const drained = drain(0, 20, () => {
    closed.resolve();
    return new Promise(() => {});
  });
  clock.pass(0);
  await closed.promise;
  clock.pass(499);
  assert.deepEqual(events, ["tunnel aborted"]);
  clock.pass(1);
  assert.equal(await drained, false);
  assert.deepEqual(events.slice(1), ["post aborted", "upstreams closed"]);
});
