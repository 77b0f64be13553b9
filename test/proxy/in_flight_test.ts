import assert from "node:assert/strict";
import { createInFlight } from "../../src/proxy/in_flight.ts";

Deno.test("InFlight admits up to its limit and again when one ended", () => {
  const inFlight = createInFlight(2);
  const flight = inFlight.begin();
  assert(flight !== undefined && inFlight.begin() !== undefined);
  assert.equal(inFlight.begin(), undefined);
  flight.end();
  flight.end();
  assert.equal(inFlight.count, 1);
  assert(inFlight.begin() !== undefined);
});

Deno.test("InFlight is idle when the last one ended, every time", async () => {
  const inFlight = createInFlight(10);
  await inFlight.idle();
  for (let round = 0; round < 2; round++) {
    const flights = [inFlight.begin(), inFlight.begin()];
    let isIdle = false;
    const idle = inFlight.idle().then(() => isIdle = true);
    flights[0]?.end();
    await Promise.resolve();
    assert(!isIdle);
    flights[1]?.end();
    await idle;
  }
});

Deno.test("InFlight knows its tunnels, and when the last of them is over", async () => {
  const inFlight = createInFlight(10);
  await inFlight.tunnelsOver();
  const [tunnel, exchange] = [inFlight.begin(), inFlight.begin()];
  tunnel?.becomeTunnel();
  assert.deepEqual([inFlight.count, inFlight.tunnelCount], [2, 1]);
  const over = inFlight.tunnelsOver();
  tunnel?.end();
  await over;
  tunnel?.becomeTunnel();
  assert.deepEqual([inFlight.count, inFlight.tunnelCount], [1, 0]);
  exchange?.end();
});

Deno.test("InFlight aborts what is still going on, and nothing that ended", () => {
  const inFlight = createInFlight(10);
  const aborted: string[] = [];
  for (const name of ["ended", "open"]) {
    const flight = inFlight.begin();
    assert(flight !== undefined);
    flight.abort = () => aborted.push(name);
    if (name === "ended") flight.end();
  }
  inFlight.begin();
  inFlight.abortAll();
  assert.deepEqual(aborted, ["open"]);
});
