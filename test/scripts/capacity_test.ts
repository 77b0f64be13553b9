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
  assert.equal(memoryMib, 220);
  assert.equal(cacheEntries, 1000);
  assert.equal(Math.round(apiCallsPerSec), 47);
  assert.equal(tierOpsPerSec, 50);
});

Deno.test("capacityFor() has every gateway keep every sandbox, unless the front sends each label to one", () => {
  const large = { ...SMALL, sandboxes: 100_000, requests: 100_000 };
  const { gateways, cacheEntries, tierOpsPerSec } = capacityFor(large);
  assert.equal(gateways, 8);
  assert.equal(cacheEntries, 100_000);
  const sharded = capacityFor({ ...large, sharded: true });
  assert.equal(sharded.cacheEntries, 12_500);
  assert.equal(tierOpsPerSec / sharded.tierOpsPerSec, 9 / 2);
});
