import assert from "node:assert/strict";
import { capacityFor } from "../../scripts/capacity.ts";

const SMALL = {
  sandboxes: 1000,
  requests: 1000,
  tunnels: 1024,
  kib: 10,
  isPrivate: 0,
  sharded: false,
};

Deno.test("capacityFor() has one gateway serve a thousand sandboxes", () => {
  const { gateways, memoryMib, cacheEntries, apiCallsPerSec, tierOpsPerSec } =
    capacityFor(SMALL);
  assert.equal(gateways, 1);
  assert.equal(memoryMib, 290);
  assert.equal(cacheEntries, 1000);
  assert.equal(Math.round(apiCallsPerSec), 55);
  assert.equal(Math.round(tierOpsPerSec), 410);
});

Deno.test("capacityFor() has every gateway keep every sandbox, unless the front sends each label to one", () => {
  const large = { ...SMALL, sandboxes: 100_000, requests: 100_000 };
  const { gateways, cacheEntries, tierOpsPerSec } = capacityFor(large);
  assert.equal(gateways, 50);
  assert.equal(cacheEntries, 100_000);
  const sharded = capacityFor({ ...large, sharded: true });
  assert.equal(sharded.cacheEntries, 6_250);
  assert.equal(Math.round(tierOpsPerSec), 239_920);
  assert.equal(Math.round(sharded.tierOpsPerSec), 40_978);
});

Deno.test("capacityFor() has the API asked as often by many gateways as by one, and Redis more often", () => {
  const one = capacityFor({ ...SMALL, gateways: 1 });
  const three = capacityFor({ ...SMALL, gateways: 3 });
  assert.equal(three.apiCallsPerSec, one.apiCallsPerSec);
  assert.ok(three.tierOpsPerSec > 2 * one.tierOpsPerSec);
  assert.ok(three.busyCores > one.busyCores);
});

Deno.test("capacityFor() asks the API more often where public sandboxes are believed for a shorter time", () => {
  const told = capacityFor(SMALL);
  const untold = capacityFor({ ...SMALL, publicTtlSec: 4 });
  // One question in 4 s (0.75 x 4 and one to wait) instead of one in 91.
  const more = 1000 * (1 / 4 - 1 / 91);
  assert.equal(
    Math.round(untold.apiCallsPerSec - told.apiCallsPerSec),
    Math.round(more),
  );
});
