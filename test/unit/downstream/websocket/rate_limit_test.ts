import assert from "node:assert/strict";
import {
  FLOOD_BAN_MS,
  FloodBans,
} from "../../../../src/downstream/websocket/rate_limit.ts";

Deno.test("S14: a ban ends after its time, and the oldest is forgotten if there are more than 1,000", () => {
  let now = 5;
  const bans = new FloodBans(() => now);
  bans.add("a");
  now += FLOOD_BAN_MS;
  assert.deepEqual([bans.has("a"), bans.has("b")], [true, false]);
  now++;
  assert.equal(bans.has("a"), false);
  for (let count = 0; count <= 1000; count++) bans.add(`${count}`);
  assert.deepEqual([bans.has("0"), bans.has("1")], [false, true]);
});
