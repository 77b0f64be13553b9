import assert from "node:assert/strict";
import { SharedRefusals } from "../../../src/auth/shared_refusals.ts";
import { Throttle } from "../../../src/auth/throttle.ts";
import type { DurableStore } from "../../../src/cache/store.ts";
import { Background } from "../../../src/lib/background.ts";
import { fakeStore, settled } from "../cache/fakes.ts";

const CLIENT = { clientAddress: "192.0.2.1", isSentByPage: false };

/** Gateways with one store that counts, on a clock that the test sets. */
function setUp({ gateways = 2, refusalsPerMinute = 30 } = {}) {
  const counters = new Map<string, number>();
  const state = {
    nowMs: 0,
    isAway: false,
    exchanges: [] as number[],
    pauses: [] as PromiseWithResolvers<void>[],
  };
  const closing = new AbortController();
  const store: DurableStore = {
    ...fakeStore({ shared: true }).store,
    addUp(counts) {
      state.exchanges.push(counts.length);
      if (state.isAway) return Promise.resolve(undefined);
      return Promise.resolve(counts.map(({ key, count }) => {
        const name = key.join("/");
        const total = (counters.get(name) ?? 0) + count;
        counters.set(name, total);
        return total;
      }));
    },
  };
  const background = new Background((_, reason) => assert.fail(String(reason)));

  function startGateway(theStore: DurableStore | null = store) {
    const now = () => state.nowMs;
    const throttle: Throttle = new Throttle({
      refusalsPerMinute,
      lookups: 10,
      maxClients: 10_000,
      now,
      onCharge: (client, count) => shared.add(client, count),
    });
    const shared = new SharedRefusals({
      store: theStore,
      secret: "secret",
      background,
      charge: (client, count) => throttle.charge(client, count),
      now,
      closing: closing.signal,
      async sleep(ms) {
        assert.equal(ms, 1_000);
        const pause = Promise.withResolvers<void>();
        state.pauses.push(pause);
        await pause.promise;
      },
    });
    /** True if a request of that client was refused, and not turned away. */
    return function refuse(client = CLIENT): boolean {
      const budget = throttle.budgetFor(client);
      try {
        budget.spend();
      } catch {
        return false;
      }
      budget.settle({ isAdmitted: false });
      return true;
    };
  }

  return {
    counters,
    state,
    closing,
    background,
    startGateway,
    gateways: Array.from({ length: gateways }, () => startGateway()),
    /** Lets the pauses end, and what follows them. */
    async exchanged(): Promise<void> {
      await settled();
      for (const pause of state.pauses.splice(0)) pause.resolve();
      await settled();
    },
  };
}

Deno.test("gateways that share a store give a client one budget, and what they refuse within an exchange", async () => {
  const { gateways, exchanged, state } = setUp({ gateways: 3 });
  let refused = 0;
  for (let round = 0; round < 100; round++) {
    for (const refuse of gateways) if (refuse()) refused++;
    await exchanged();
  }
  assert(refused >= 30 && refused <= 33, String(refused));
  // No gateway asks more than once in a pause, and none if nothing is refused.
  assert(state.exchanges.length <= 33, String(state.exchanges.length));
});

Deno.test("a client that has used its budget up at one gateway is told so by the next one after its first refusal", async () => {
  const { gateways: [first, second], exchanged } = setUp();
  let refused = 0;
  while (first?.()) {
    if (++refused % 10 === 0) await exchanged();
  }
  await exchanged();
  assert.equal(second?.(), true);
  await settled(); // no pause: it had nothing to tell before
  assert.equal(second?.(), false);
  assert.equal(second?.({ ...CLIENT, clientAddress: "192.0.2.2" }), true);
});

Deno.test("a minute later, neither gateway owes what was refused before", async () => {
  const { gateways, exchanged, state } = setUp();
  for (let i = 0; i < 40; i++) {
    for (const refuse of gateways) refuse();
    await exchanged();
  }
  state.nowMs += 120_000;
  for (const refuse of gateways) assert(refuse());
  await exchanged();
  for (const refuse of gateways) assert(refuse());
});

Deno.test("a store that does not answer, or cannot count, leaves each gateway its own budget", async () => {
  const { gateways: [first, second], state, exchanged, startGateway } = setUp();
  state.isAway = true;
  const others = [startGateway(null), startGateway(fakeStore().store)];
  for (const refuse of [first, second, ...others]) {
    let refused = 0;
    while (refuse?.()) {
      refused++;
      await exchanged();
    }
    assert.equal(refused, 30);
  }
});

Deno.test("what a store may or may not have counted is not charged twice", async () => {
  const { gateways: [first], counters, state, exchanged } = setUp();
  assert.equal(first?.(), true);
  await exchanged();
  state.isAway = true;
  assert.equal(first?.(), true);
  await exchanged();
  state.isAway = false;
  for (const name of counters.keys()) counters.set(name, 2);
  let refused = 2;
  while (first?.()) {
    refused++;
    await exchanged();
  }
  assert.equal(refused, 30);
});

Deno.test("the store is told of no address, and of a bounded number of clients at once", async () => {
  const { gateways: [refuse], counters, state, exchanged } = setUp();
  for (let i = 0; i < 2_000; i++) {
    const clientAddress = `2001:db8:0:${i.toString(16)}::1`;
    assert(refuse?.({ ...CLIENT, clientAddress }));
  }
  await exchanged();
  await exchanged();
  assert(Math.max(...state.exchanges) <= 500);
  assert(counters.size > 0);
  for (const name of counters.keys()) {
    assert.match(name, /^refusals\/\d+\/[\w-]{43}$/);
  }
});

Deno.test("closing ends the exchange, with what was still to tell", async () => {
  const { gateways: [refuse], closing, state, exchanged, background } = setUp();
  refuse?.();
  await settled();
  refuse?.();
  closing.abort();
  await exchanged();
  await background.settled();
  assert.deepEqual(state.exchanges, [1]);
});
