import assert from "node:assert/strict";
import { garbageCollector } from "../../../src/platform/collect_garbage.ts";

Deno.test("garbage can be collected at once", () => {
  const collect = garbageCollector();
  assert(collect !== undefined);
  let garbage: WeakRef<object> | undefined = new WeakRef({});
  for (let i = 0; i < 100_000; i++) garbage = new WeakRef({ i, garbage });
  const before = Deno.memoryUsage().heapUsed;
  collect();
  assert(Deno.memoryUsage().heapUsed < before);
});
