/**
 * Tries every property briefly, with different inputs each time. A failure reports its seed and the command that
 * repeats that input; with the seed in FUZZ_SEED, these tests repeat all of the same inputs.
 */
import assert from "node:assert/strict";
import { allGrowths, allProperties } from "./all.ts";

const RUNS = 60;

/** Length of each input that slows down a careless parser: in quadratic time, it would take seconds. */
const HOSTILE_BYTES = 32 * 1024;

const seedText = Deno.env.get("FUZZ_SEED");
const seed = seedText === undefined ? undefined : Number(seedText);

for (const property of allProperties) {
  Deno.test(property.name, async () => {
    const { failure, runs } = await property.check({ runs: RUNS, seed });
    if (failure !== undefined) throw new Error(failure);
    assert.equal(runs, RUNS);
  });
}

Deno.test("every parser gets through a long input of its worst kind", () => {
  for (const { name, prepare } of allGrowths) {
    assert.doesNotThrow(prepare(HOSTILE_BYTES), name);
  }
});

Deno.test("every property has a name of its own", () => {
  const names = allProperties.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});
