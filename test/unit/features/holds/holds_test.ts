import assert from "node:assert/strict";
import { PreviewExchange } from "../../../../src/gateway/sandbox_exchange.ts";
import { UpstreamError } from "../../../../src/upstream/upstream_error.ts";
import {
  exchangeServices,
  incomingRequest,
  PREVIEW_HOST,
} from "../../../support/exchange.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { type ErrorCode, GatewayError } from "../../../../src/errors.ts";
import {
  type HeldExchange,
  Holds,
  pause,
} from "../../../../src/features/holds/holds.ts";

/** Holds that wait 10 s for a start and 5 s for a port, and a clock that their pauses move. */
function setUp(wait?: ConstructorParameters<typeof Holds>[1]) {
  const clock = { now: 1000 };
  const holds = new Holds(
    {
      limitsMs: { start: 10_000, port: 5_000 },
      now: () => clock.now,
    },
    wait ?? ((_, ms) => {
      clock.now += ms;
      return Promise.resolve();
    }),
  );
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
      request: new Request("http://box.test/"),
      lasts() {},
      ...differences,
    };
    let attempts = 0;
    const outcome = await until(holds, x, () => {
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
  const off = new Holds(
    { limitsMs: { start: 0, port: 0 }, now: () => 0 },
    () => assert.fail("it waits"),
  );
  const refuse = () => Promise.reject(new GatewayError("port_closed", "test"));
  await assert.rejects(until(off, admitted().x, refuse), {
    code: "port_closed",
  });
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
  const { holds, waitFor } = setUp((_x, _ms, end) => {
    holds.startDraining();
    assert.ok(end.aborted);
    return Promise.resolve();
  });
  const codes = ["port_closed", "port_closed"] as const;
  assert.deepEqual(await waitFor(codes), ["port_closed", 0]);
  assert.deepEqual(await waitFor(codes), ["port_closed", 0]);
});

/** The result of an attempt that is repeated as long as it is worth waiting. */
async function until<T>(
  holds: Holds,
  x: HeldExchange,
  attempt: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!await holds.wait(error, x)) throw error;
    }
  }
}

/** An exchange that was admitted to `box`, whose access is rechecked by `recheck`. */
function admitted(
  recheck: () => Promise<boolean> = () => Promise.resolve(true),
) {
  const { services, inFlight } = exchangeServices();
  const x = new PreviewExchange(incomingRequest(), PREVIEW_HOST, services);
  x.checkLimits();
  x.grant({ sandboxId: "box", by: "bearer" }, recheck);
  return { x, inFlight };
}

Deno.test("a pause ends with its time, with what it is ended by, with its client, with its access and with the gateway", async () => {
  using clock = fakeClock();
  const endless = new AbortController().signal;
  {
    const { x } = admitted();
    const waited = pause(x, 1000, endless);
    clock.pass(1000);
    await waited;
    const end = new AbortController();
    const ended = pause(x, 1000, end.signal);
    end.abort();
    await ended;
  }
  {
    const leaving = new AbortController();
    const { services } = exchangeServices();
    const incoming = incomingRequest({ signal: leaving.signal });
    const x = new PreviewExchange(incoming, PREVIEW_HOST, services);
    const waited = pause(x, 1000, endless);
    leaving.abort();
    const isGone = (error: unknown) =>
      error instanceof UpstreamError && error.code === "aborted";
    await assert.rejects(waited, isGone);
    await assert.rejects(pause(x, 1000, endless), isGone);
  }
  {
    const { x, inFlight } = admitted(() => Promise.resolve(false));
    const waited = pause(x, 1000, endless);
    inFlight.recheckAll();
    await assert.rejects(waited, { code: "credential_invalid" });
  }
  {
    const { x, inFlight } = admitted();
    const waited = pause(x, 1000, endless);
    inFlight.abortAll();
    await assert.rejects(waited, { code: "shutting_down" });
  }
});
