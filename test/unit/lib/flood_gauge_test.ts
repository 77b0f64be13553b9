import assert from "node:assert/strict";
import { createFloodGauge } from "../../../src/lib/flood_gauge.ts";

function setUp() {
  const clock = { ms: 5000, reads: 0 };
  const now = () => {
    clock.reads++;
    return clock.ms;
  };
  return { clock, isFlood: createFloodGauge(100, now) };
}

/** The number of events of so many that were too many. */
function add(isFlood: () => boolean, count: number): number {
  return Array.from({ length: count }, isFlood).filter(Boolean).length;
}

Deno.test("a flood gauge tells the first event beyond the limit within a second", () => {
  const { clock, isFlood } = setUp();
  assert.equal(add(isFlood, 100), 0);
  clock.ms += 999;
  assert.equal(isFlood(), true);
});

Deno.test("a flood gauge bears as many events as the limit each second, for ever", () => {
  const { clock, isFlood } = setUp();
  for (let second = 0; second < 100; second++) {
    assert.equal(add(isFlood, 100), 0);
    clock.ms += 1000;
  }
});

Deno.test("a flood gauge tells a flood after a long calm", () => {
  const { clock, isFlood } = setUp();
  isFlood();
  clock.ms += 3_600_000;
  assert.equal(add(isFlood, 200), 1);
});

Deno.test("a flood gauge reads the clock once in as many events as the limit", () => {
  const { clock, isFlood } = setUp();
  add(isFlood, 1000);
  assert.equal(clock.reads, 10);
});
