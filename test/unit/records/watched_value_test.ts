import assert from "node:assert/strict";
import { z } from "zod";
import { type Form, storedObject } from "../../../src/records/form.ts";
import { WatchedValue } from "../../../src/records/watched_value.ts";
import { MemoryValues } from "../../support/memory_values.ts";

const SUM: Form<{ readonly sum: number }> = {
  schema: storedObject({ sum: z.number() }),
  none: { sum: 0 },
};

Deno.test("what others have written while our own change was on its way is known after it, and not what we wrote", async () => {
  const store = new MemoryValues();
  const own = store.gateway();
  const ours = new WatchedValue(own, ["sums"], SUM);
  const theirs = new WatchedValue(store.gateway(), ["sums"], SUM);
  await ours.update(() => ({ value: { sum: 1 } }));
  const { write } = store;
  store.write = async (wanted) => {
    const written = await write.call(store, wanted);
    store.write = write;
    // Our answer is slow: meanwhile, another gateway writes, and we look.
    await theirs.update(() => ({ value: { sum: 3 } }));
    await ours.look();
    return written;
  };
  const { sum } = await ours.update(() => ({ value: { sum: 2 } }));
  assert.deepEqual([sum, ours.value.sum], [3, 3]);
});
