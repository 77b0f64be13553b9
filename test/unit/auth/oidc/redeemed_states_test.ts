import assert from "node:assert/strict";
import { RedeemedStates } from "../../../../src/auth/oidc/redeemed_states.ts";
import type { DurableStore } from "../../../../src/cache/store.ts";
import { fakeStore } from "../../cache/fakes.ts";

function setUp(store: DurableStore | null): RedeemedStates {
  return new RedeemedStates({ store, maxEntries: 100, now: () => 1000 });
}

Deno.test("S6: a state is taken once, in this gateway and in all that share its store", async () => {
  const { store } = fakeStore({ shared: true });
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
  for (const store of [fakeStore().store, null]) {
    const states = setUp(store);
    for (let tries = 0; tries < 5; tries++) {
      assert.equal(await states.take("a"), true);
      await states.giveBack("a");
    }
    assert.equal(await states.take("a"), false);
  }
});

Deno.test("a state that another gateway took may be taken once that has given it back", async () => {
  const { store } = fakeStore({ shared: true });
  const [first, second] = [setUp(store), setUp(store)];
  assert.equal(await first.take("a"), true);
  assert.equal(await second.take("a"), false);
  await first.giveBack("a");
  assert.equal(await second.take("a"), true);
  assert.equal(await first.take("a"), false);
});

Deno.test("a store that does not answer keeps nobody from logging in", async () => {
  const fake = fakeStore({ shared: true });
  fake.broken = true;
  const states = setUp(fake.store);
  assert.equal(await states.take("a"), true);
  assert.equal(await states.take("a"), false);
});
