import assert from "node:assert/strict";
import { createActivityClaims } from "../../src/resolver/activity_claims.ts";
import { fakeStore, manualClock } from "../cache/fakes.ts";

const HOLD_MS = 45_000;

/** Two gateways that share a store, each with a clock of its own. */
function twoGateways() {
  const { store, entries } = fakeStore({ shared: true });
  function gateway(self: string) {
    const clock = manualClock();
    const claim = createActivityClaims({
      store,
      self,
      holdMs: HOLD_MS,
      now: () => clock.now(),
    });
    return { clock, claim };
  }
  return { entries, ours: gateway("ours"), theirs: gateway("theirs") };
}

Deno.test("the first gateway to claim a sandbox may report it, and the others not before that claim ends", async () => {
  const { ours, theirs } = twoGateways();
  const start = ours.clock.time;
  assert.equal(await ours.claim("box"), start);
  assert.equal(await theirs.claim("box"), start + HOLD_MS);
  theirs.clock.time += HOLD_MS - 1;
  assert.equal(await theirs.claim("box"), start + HOLD_MS);
  theirs.clock.time += 1;
  assert.equal(await theirs.claim("box"), start + HOLD_MS);
  assert.equal(await ours.claim("box"), start + 2 * HOLD_MS);
});

Deno.test("a claim on one sandbox does not affect another", async () => {
  const { ours, theirs } = twoGateways();
  await ours.claim("box");
  assert.equal(await theirs.claim("other"), theirs.clock.time);
});

Deno.test("a gateway's own claim does not delay it", async () => {
  const { ours, theirs } = twoGateways();
  await ours.claim("box");
  ours.clock.time += 1000;
  assert.equal(await ours.claim("box"), ours.clock.time);
  // That was a claim too, from then on.
  assert.equal(await theirs.claim("box"), ours.clock.time + HOLD_MS);
});

Deno.test("a claim from a clock that is hours ahead is ignored", async () => {
  const { ours, theirs } = twoGateways();
  ours.clock.time += 3_600_000;
  await ours.claim("box");
  assert.equal(await theirs.claim("box"), theirs.clock.time);
});

Deno.test("a store keeps a claim as long as it is held", async () => {
  const { entries, ours } = twoGateways();
  await ours.claim("box");
  const until = ours.clock.time + HOLD_MS;
  assert.deepEqual([...entries], [["sandbox-last-activity-update/box", {
    value: "ours",
    refreshAt: until,
    expiresAt: until,
    staleUntil: until,
  }]]);
});
