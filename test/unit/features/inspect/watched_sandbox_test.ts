import assert from "node:assert/strict";
import { Inspector } from "../../../../src/features/inspect/inspector.ts";
import type { Share } from "../../../../src/features/inspect/watched_sandbox.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

/** A sandbox that is watched, which shows four exchanges of each share at once, and two a second. */
async function watchOne() {
  const limits = { burst: 4, perSec: 2, heartbeatMs: 60_000 };
  const inspector = new Inspector(() => performance.now(), limits);
  const watcher = inspector.watch("a", "user") ?? assert.fail();
  await watcher.read();
  return {
    inspector,
    watcher,
    /** How many of ten exchanges are shown. */
    shownOfTen(share: Share): number {
      const sandbox = inspector.watched("a") ?? assert.fail();
      return Array.from({ length: 10 }, () => sandbox.takes(share))
        .filter((isShown) => isShown).length;
    },
    async next(): Promise<string> {
      return new TextDecoder().decode(await watcher.read() ?? assert.fail());
    },
  };
}

Deno.test("of a flood, as many exchanges are shown as come at once, and then as many a second as may be read", async () => {
  using clock = fakeClock();
  const { shownOfTen, watcher } = await watchOne();
  assert.equal(shownOfTen("ordinary"), 4);
  assert.equal(shownOfTen("ordinary"), 0);
  clock.pass(1000);
  assert.equal(shownOfTen("ordinary"), 2);
  clock.pass(3_600_000);
  assert.equal(shownOfTen("ordinary"), 4);
  watcher.cancel();
});

Deno.test("a flood leaves notable exchanges their share, and they leave it the others", async () => {
  using _ = fakeClock();
  const { shownOfTen, watcher } = await watchOne();
  assert.equal(shownOfTen("ordinary"), 4);
  assert.equal(shownOfTen("notable"), 4);
  assert.equal(shownOfTen("ordinary"), 0);
  watcher.cancel();
});

Deno.test("every watcher is told within a second how many exchanges were left out, once", async () => {
  using clock = fakeClock();
  const { inspector, watcher, next } = await watchOne();
  const other = inspector.watch("a", "user") ?? assert.fail();
  await other.read();
  const sandbox = inspector.watched("a") ?? assert.fail();
  const told = next();
  for (let i = 0; i < 1203; i++) sandbox.leaveOut();
  clock.pass(1000);
  assert.equal(await told, `event: missed\ndata: {"count":1203}\n\n`);
  assert.match(
    new TextDecoder().decode(await other.read() ?? undefined),
    /"count":1203/,
  );
  const again = next();
  clock.pass(10_000);
  sandbox.leaveOut();
  clock.pass(1000);
  assert.equal(await again, `event: missed\ndata: {"count":1}\n\n`);
  watcher.cancel();
  other.cancel();
});

Deno.test("whoever begins to watch is told of what is left out from then on, and the others of all", async () => {
  using clock = fakeClock();
  const { inspector, watcher, next } = await watchOne();
  inspector.watched("a")?.leaveOut();
  const later = inspector.watch("a", "user") ?? assert.fail();
  assert.doesNotMatch(
    new TextDecoder().decode(await later.read() ?? undefined),
    /missed/,
  );
  assert.equal(await next(), `event: missed\ndata: {"count":1}\n\n`);
  clock.pass(15_000);
  const silent = later.read();
  clock.pass(60_000);
  assert.equal(
    new TextDecoder().decode(await silent ?? undefined),
    ":\n\n",
  );
  watcher.cancel();
  later.cancel();
});

Deno.test("nothing is left running when the last watcher goes", async () => {
  const { inspector, watcher } = await watchOne();
  inspector.watched("a")?.leaveOut();
  watcher.cancel(); // the test fails for a timer that is left
  assert.equal(inspector.watched("a"), undefined);
});
