import assert from "node:assert/strict";
import { isUpcoming } from "../../src/lib/cooldown.ts";

Deno.test("isUpcoming() until the moment comes, or the clock is set back", () => {
  const at = (now: number) => isUpcoming(10_000, { now, withinMs: 5_000 });
  assert(at(5_000));
  assert(at(9_999));
  assert(!at(10_000));
  assert(!at(4_999));
});

Deno.test("isUpcoming() for what never comes, however the clock is set", () => {
  const withinMs = Infinity;
  assert(isUpcoming(Infinity, { now: -1e15, withinMs }));
});
