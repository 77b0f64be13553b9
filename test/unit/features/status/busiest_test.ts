import assert from "node:assert/strict";
import {
  Busiest,
  sandboxRows,
} from "../../../../src/features/status/busiest.ts";

function setUp() {
  const clock = { now: 0 };
  const busiest = new Busiest(() => clock.now);
  function use(sandboxId: string, times = 1, bytes = 0): void {
    for (let i = 0; i < times; i++) {
      busiest.record(sandboxId, {
        receivedBytes: 0,
        sentBytes: bytes,
        tunnel: undefined,
      });
    }
  }
  return { clock, busiest, use };
}

Deno.test("a steady rate is told as such after a few minutes, and half of it 30 s after its end", () => {
  const { clock, busiest, use } = setUp();
  for (let second = 0; second < 600; second++) {
    use("busy", 10, 100);
    clock.now += 1000;
    busiest.top(1);
  }
  function rates(): number[] {
    const [found] = busiest.top(1);
    return [found?.requestsPerSec ?? 0, found?.bytesPerSec ?? 0];
  }
  const [requests = 0, bytes = 0] = rates();
  assert(Math.abs(requests - 10) < 0.2, String(requests));
  assert(Math.abs(bytes - 1000) < 20, String(bytes));
  clock.now += 30_000;
  const [half = 0] = rates();
  assert(Math.abs(half - 5) < 0.2, String(half));
});

Deno.test("the sandboxes with most requests and those with most bytes are told, both ways and WebSockets included", () => {
  const { busiest, use } = setUp();
  for (let i = 0; i < 20; i++) use(`quiet-${i}`);
  use("busy", 5);
  use("large", 1, 1000);
  busiest.record("tunnel", {
    receivedBytes: 0,
    sentBytes: 0,
    tunnel: {
      by: "client",
      code: 1000,
      messagesSent: 1,
      bytesSent: 2000,
      messagesReceived: 1,
      bytesReceived: 3000,
    },
  });
  busiest.record(undefined, {
    receivedBytes: 9999,
    sentBytes: 0,
    tunnel: undefined,
  });
  const top = busiest.top(1).map(({ id }) => id);
  assert.deepEqual(top, ["busy", "tunnel"]);
});

Deno.test("however many sandboxes there are, few are kept, and a busy one is found among them", () => {
  const { busiest, use, clock } = setUp();
  for (let i = 0; i < 20_000; i++) {
    use(`one-of-many-${i}`);
    if (i % 100 === 0) {
      use("busy", 10);
      clock.now += 10;
    }
  }
  const all = busiest.top(1_000_000);
  assert(all.length <= 2 * 128, String(all.length));
  assert.equal(busiest.top(1)[0]?.id, "busy");
  const expected = 2000 / (30 / Math.LN2);
  const { requestsPerSec = 0 } = busiest.top(1)[0] ?? {};
  assert(Math.abs(requestsPerSec / expected - 1) < 0.1, `${requestsPerSec}`);
});

Deno.test("what is not used any more is forgotten, even if the clock was set back", () => {
  const { busiest, use, clock } = setUp();
  use("gone");
  clock.now -= 5000;
  assert.equal(busiest.top(1).length, 1);
  clock.now += 3_600_000;
  assert.equal(busiest.top(1).length, 0);
});

Deno.test("sandboxRows() has one row for each sandbox, whether it is known by its requests, its WebSockets or both", () => {
  const rows = sandboxRows(
    [
      { id: "both", requestsPerSec: 2, bytesPerSec: 30 },
      { id: "requests", requestsPerSec: 1, bytesPerSec: 0 },
    ],
    [
      { sandboxId: "sockets", tunnels: 5 },
      { sandboxId: "both", tunnels: 4 },
    ],
  );
  assert.deepEqual(rows, [
    { sandboxId: "both", requestsPerSec: 2, bytesPerSec: 30, tunnels: 4 },
    { sandboxId: "requests", requestsPerSec: 1, bytesPerSec: 0, tunnels: 0 },
    { sandboxId: "sockets", requestsPerSec: 0, bytesPerSec: 0, tunnels: 5 },
  ]);
});
