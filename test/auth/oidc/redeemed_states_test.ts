import assert from "node:assert/strict";
import { RedeemedStates } from "../../../src/auth/oidc/redeemed_states.ts";
import type { DurableStore, StoredEntry } from "../../../src/cache/store.ts";

/** A store in memory, which several gateways may share. */
function sharedStore(): DurableStore {
  const entries = new Map<string, StoredEntry>();
  return {
    shared: true,
    get: (key) => Promise.resolve(entries.get(key.join()) ?? "absent"),
    set: (key, entry) => Promise.resolve(void entries.set(key.join(), entry)),
    delete: (key) => Promise.resolve(void entries.delete(key.join())),
    close() {},
  };
}

function setUp(store: DurableStore | null): RedeemedStates {
  return new RedeemedStates({ store, maxStates: 100, now: () => 1000 });
}

Deno.test("S6: a state is taken once, in this gateway and in all that share its store", async () => {
  const store = sharedStore();
  const [first, second] = [setUp(store), setUp(store)];
  assert.equal(await first.take("a"), true);
  assert.equal(await first.take("a"), false);
  assert.equal(await second.take("a"), false);
  assert.equal(await second.take("b"), true);

  const alone = setUp(null);
  const both = await Promise.all([alone.take("a"), alone.take("a")]);
  assert.deepEqual(both, [true, false]);
});

Deno.test("a state that was given back may be taken again, five times in all", async () => {
  for (const store of [sharedStore(), null]) {
    const states = setUp(store);
    for (let tries = 0; tries < 5; tries++) {
      assert.equal(await states.take("a"), true);
      await states.giveBack("a");
    }
    assert.equal(await states.take("a"), false);
  }
});

Deno.test("a store that does not answer keeps nobody from logging in", async () => {
  const states = setUp({
    ...sharedStore(),
    get: () => Promise.resolve("unavailable"),
  });
  assert.equal(await states.take("a"), true);
  assert.equal(await states.take("a"), false);
});
