import assert from "node:assert/strict";
import { createInFlight } from "../../src/proxy/in_flight.ts";

Deno.test("InFlight admits up to its limit and again when one ended", () => {
  const inFlight = createInFlight(2);
  const end = inFlight.begin();
  assert(end !== undefined && inFlight.begin() !== undefined);
  assert.equal(inFlight.begin(), undefined);
  end();
  end();
  assert.equal(inFlight.count, 1);
  assert(inFlight.begin() !== undefined);
});

Deno.test("InFlight is idle when the last one ended, every time", async () => {
  const inFlight = createInFlight(10);
  await inFlight.idle();
  for (let round = 0; round < 2; round++) {
    const ends = [inFlight.begin(), inFlight.begin()];
    let isIdle = false;
    const idle = inFlight.idle().then(() => isIdle = true);
    ends[0]?.();
    await Promise.resolve();
    assert(!isIdle);
    ends[1]?.();
    await idle;
  }
});

Deno.test("InFlight aborts what is still going on, and nothing that ended", () => {
  const inFlight = createInFlight(10);
  const aborted: string[] = [];
  inFlight.begin(() => aborted.push("ended"))?.();
  inFlight.begin(() => aborted.push("open"));
  inFlight.begin();
  inFlight.abortAll();
  assert.deepEqual(aborted, ["open"]);
});
