import assert from "node:assert/strict";
import { FloodGauge } from "../../../src/lib/flood_gauge.ts";

function setUp(): { clock: { ms: number; reads: number }; gauge: FloodGauge } {
  const clock = { ms: 5000, reads: 0 };
  const now = () => {
    clock.reads++;
    return clock.ms;
  };
  return { clock, gauge: new FloodGauge(100, now) };
}

/** The number of events of so many that were too many. */
function add(gauge: FloodGauge, count: number): number {
  return Array.from({ length: count }, () => gauge.add()).filter(Boolean)
    .length;
}

Deno.test("FloodGauge tells the first event beyond the limit within a second", () => {
  const { clock, gauge } = setUp();
  assert.equal(add(gauge, 100), 0);
  clock.ms += 999;
  assert.equal(gauge.add(), true);
});

Deno.test("FloodGauge bears as many events as the limit each second, for ever", () => {
  const { clock, gauge } = setUp();
  for (let second = 0; second < 100; second++) {
    assert.equal(add(gauge, 100), 0);
    clock.ms += 1000;
  }
});

Deno.test("FloodGauge tells a flood after a long calm", () => {
  const { clock, gauge } = setUp();
  gauge.add();
  clock.ms += 3_600_000;
  assert.equal(add(gauge, 200), 1);
});

Deno.test("FloodGauge reads the clock once in as many events as the limit", () => {
  const { clock, gauge } = setUp();
  add(gauge, 1000);
  assert.equal(clock.reads, 10);
});
