import assert from "node:assert/strict";
import { UsedCodes } from "../../../src/auth/used_codes.ts";
import { fakeStore } from "../cache/fakes.ts";

const OPTIONS = { kind: "login-code", maxEntries: 10 };
const UNTIL = 1_000_000_000_000;

Deno.test("a code is used once, with a durable tier and without", async () => {
  for (const store of [null, fakeStore().store]) {
    const codes = new UsedCodes(store, OPTIONS);
    const uses = await Promise.all(
      ["a", "a", "b", "a"].map((id) => codes.use(id, UNTIL)),
    );
    assert.deepEqual(uses, [true, false, true, false]);
  }
});

Deno.test("a code that one gateway has seen used is used for all that share its durable tier", async () => {
  const { store, entries } = fakeStore({ shared: true });
  const [one, other] = [1, 2].map(() => new UsedCodes(store, OPTIONS));
  assert(await one?.use("a", UNTIL));
  assert.equal(await other?.use("a", UNTIL), false);
  // Longer than any gateway accepts it, even if its clock is slow.
  assert.equal(entries.get("login-code/a")?.staleUntil, UNTIL + 60_000);
});

Deno.test("a code is not accepted while nobody can tell if it was used, and is good afterwards", async () => {
  const fake = fakeStore({ shared: true });
  const codes = new UsedCodes(fake.store, OPTIONS);
  fake.broken = true;
  await assert.rejects(codes.use("a", UNTIL), { code: "session_unavailable" });
  fake.broken = false;
  assert(await codes.use("a", UNTIL));
});
