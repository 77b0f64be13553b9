import assert from "node:assert/strict";
import { HeadWorld, PLACES, type Shape } from "./head_costs.ts";

/** What readers of lists, pairs, addresses, tokens and quoted text may read again and again. */
const REPEATED = [
  ...["a", "0", "1.", "a-", "-.", "._-"],
  ...[",", "a,", "\t,", ";=", "a=b;", "; a=b", ";q="],
  ...["/", "/..", ":", "https://", "&%", "a&", "%41"],
  ...[" ", "\t", "\xa0", '"', '\\"', '"a",', "(", "<", "a "],
];

Deno.test("no value of a header, host or target takes longer than its length explains", async () => {
  await using world = await HeadWorld.start();
  const { names } = world;
  for (const name of ["cookie", "host", "sec-purpose", "x-forwarded-for"]) {
    assert(names.includes(name), name);
  }
  for (const [i, repeated] of REPEATED.entries()) {
    const shape: Shape = { before: "a", repeated, behind: "a" };
    for (const [j, name] of names.entries()) {
      const place = PLACES[(i + j) % PLACES.length] ?? {};
      const excess = await world.excess(place, name, shape);
      assert.equal(excess, undefined);
    }
  }
});
