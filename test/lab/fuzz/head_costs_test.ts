import assert from "node:assert/strict";
import { HeadWorld } from "./head_costs.ts";

/** Which of the nasty values are tried; `deno task fuzz` tries all. */
const EVERY = 6;

Deno.test("no value of a header, host or target takes longer than its length explains", async () => {
  await using world = await HeadWorld.start();
  const { names } = world;
  for (
    const name of [
      ...["accept", "accept-language", "authorization", "cache-control"],
      ...["connection", "cookie", "forwarded", "host", "origin", "query"],
      ...["range", "referer", "sec-fetch-site", "sec-purpose", "target"],
      ...["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
    ]
  ) {
    assert(names.includes(name), name);
  }
  const found: string[] = [];
  for (const value of world.nastyValues(EVERY)) {
    const { excess } = await world.cost(value);
    if (excess !== undefined) found.push(excess);
  }
  assert.deepEqual(found, []);
});
