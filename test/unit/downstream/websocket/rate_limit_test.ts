import assert from "node:assert/strict";
import {
  FLOOD_BAN_MS,
  FloodBans,
} from "../../../../src/downstream/websocket/rate_limit.ts";

Deno.test("S14: a ban ends after its time, and the oldest is forgotten if there are more than 1,000 clients", () => {
  let now = 5;
  const bans = new FloodBans(() => now);
  bans.add("a", "");
  now += FLOOD_BAN_MS;
  assert.deepEqual([bans.has("a", ""), bans.has("b", "")], [true, false]);
  now++;
  assert.equal(bans.has("a", ""), false);
  for (let count = 0; count <= 1000; count++) bans.add(`${count}`, "");
  assert.deepEqual([bans.has("0", ""), bans.has("1", "")], [false, true]);
});

Deno.test("a page that floods has its own origin banned at its visitor's address, and nobody else there", () => {
  const bans = new FloodBans(() => 0);
  for (let flood = 0; flood < 10; flood++) {
    bans.add("visitor", "https://hostile.example");
  }
  assert.equal(bans.has("visitor", "https://hostile.example"), true);
  assert.equal(bans.has("visitor", "https://3000-app.example"), false);
  assert.equal(bans.has("visitor", ""), false);
  assert.equal(bans.has("other", "https://hostile.example"), false);
});

Deno.test("who floods under four origins is banned under all, however long they are", () => {
  const bans = new FloodBans(() => 0);
  for (const name of ["a", "b", "c"]) bans.add("flooder", `https://${name}`);
  assert.equal(bans.has("flooder", "https://d"), false);
  // What is longer than any browser's counts by its beginning, so that little is kept.
  for (let i = 0; i < 10; i++) bans.add("long", "x".repeat(300) + i);
  assert.equal(bans.has("long", ""), false);
  bans.add("flooder", "https://d");
  assert.equal(bans.has("flooder", "https://e"), true);
});
