import assert from "node:assert/strict";
import { isPending } from "../../src/lib/is_pending.ts";

Deno.test("isPending() is true until the time has come or the clock is set back", () => {
  const at = (now: number) => isPending(10_000, { now, withinMs: 5_000 });
  assert(at(5_000));
  assert(at(9_999));
  assert(!at(10_000));
  assert(!at(4_999));
});

Deno.test("isPending() is always true for Infinity", () => {
  const withinMs = Infinity;
  assert(isPending(Infinity, { now: -1e15, withinMs }));
});
