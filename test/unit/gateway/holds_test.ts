import assert from "node:assert/strict";
import { type ErrorCode, GatewayError } from "../../../src/errors.ts";
import { type HeldExchange, Holds } from "../../../src/gateway/holds.ts";

/** Holds that wait 10 s for a start and 5 s for a port, and a clock that their pauses move. */
function setUp() {
  const clock = { now: 1000 };
  const holds = new Holds({
    limitsMs: { start: 10_000, port: 5_000 },
    now: () => clock.now,
  });
  /** What becomes of a request whose attempts fail with these codes, the last one for ever, and how long it waited. */
  async function waitFor(
    codes: readonly ErrorCode[],
    differences: Partial<HeldExchange> = {},
  ): Promise<[outcome: string, waitedMs: number]> {
    const beganAt = clock.now;
    const x: HeldExchange = {
      method: "GET",
      headers: new Headers(),
      isWebSocket: false,
      body: null,
      pause(ms) {
        clock.now += ms;
        return Promise.resolve();
      },
      ...differences,
    };
    let attempts = 0;
    const outcome = await holds.until(x, () => {
      const code = codes[Math.min(attempts, codes.length - 1)];
      if (codes.length > 1 && attempts === codes.length) {
        return Promise.resolve("answer");
      }
      attempts++;
      return Promise.reject(new GatewayError(code ?? "internal", "test"));
    }).catch((error) => error.code);
    return [outcome, clock.now - beganAt];
  }
  return { holds, waitFor };
}

Deno.test("a program's request waits while its sandbox starts, then for its port, and is answered by the app", async () => {
  const { waitFor } = setUp();
  for (
    const code of [
      "sandbox_starting",
      "sandbox_resuming",
      "sandbox_restoring",
      "sandbox_pulling",
    ] as const
  ) {
    assert.deepEqual(
      await waitFor([code, code, "toolbox_unreachable", "port_closed"]),
      ["answer", 4000],
    );
  }
});

Deno.test("it waits for each as long as its setting says, and then gets the error", async () => {
  const { waitFor } = setUp();
  const starting = await waitFor(["sandbox_starting"]);
  assert.deepEqual(starting, ["sandbox_starting", 10_000]);
  assert.deepEqual(await waitFor(["port_closed"]), ["port_closed", 5000]);
  const off = new Holds({ limitsMs: { start: 0, port: 0 }, now: () => 0 });
  const refuse = () => Promise.reject(new GatewayError("port_closed", "test"));
  const pause = () => assert.fail("it waits");
  const x = { method: "GET", headers: new Headers(), isWebSocket: false };
  await assert.rejects(off.until({ ...x, body: null, pause }, refuse));
});

Deno.test("nothing else is waited for", async () => {
  const { waitFor } = setUp();
  for (
    const code of [
      "sandbox_stopped",
      "sandbox_stopping",
      "sandbox_error",
      "toolbox_unreachable",
      "api_unreachable",
      "overloaded",
      "internal",
    ] as const
  ) assert.deepEqual(await waitFor([code, code]), [code, 0]);
});

Deno.test("browsers wait on their own page, and what may not be sent twice is not held", async () => {
  const { waitFor } = setUp();
  const kept: readonly [boolean, Partial<HeldExchange>][] = [
    [true, { method: "HEAD" }],
    [true, { method: "DELETE" }],
    [true, { headers: new Headers({ accept: "*/*" }) }],
    // Node's fetch.
    [true, { headers: new Headers({ "sec-fetch-mode": "cors" }) }],
    [false, { method: "POST" }],
    [false, { method: "PATCH" }],
    [false, {
      method: "PUT",
      body: { read: () => new Promise(() => {}), cancel() {} },
    }],
    [false, { isWebSocket: true }],
    [false, { headers: new Headers({ accept: "text/html" }) }],
    [false, { headers: new Headers({ "sec-fetch-mode": "navigate" }) }],
    [false, { headers: new Headers({ "sec-fetch-site": "same-origin" }) }],
  ];
  for (const [isHeld, differences] of kept) {
    const [outcome] = await waitFor(
      ["port_closed", "port_closed"],
      differences,
    );
    assert.equal(outcome, isHeld ? "answer" : "port_closed");
  }
});

Deno.test("a drain ends all waits, and lets nobody wait any more", async () => {
  const { holds, waitFor } = setUp();
  const pause: HeldExchange["pause"] = (_ms, end) => {
    holds.startDraining();
    assert.ok(end.aborted);
    return Promise.resolve();
  };
  const codes = ["port_closed", "port_closed"] as const;
  assert.deepEqual(await waitFor(codes, { pause }), ["port_closed", 0]);
  assert.deepEqual(await waitFor(codes), ["port_closed", 0]);
});
