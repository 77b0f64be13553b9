import assert from "node:assert/strict";
import { createThrottle, type Throttle } from "../../src/auth/throttle.ts";

function setUp(
  { refusalsPerMinute = 2, maxClients = 100 } = {},
): { throttle: Throttle; clock: { ms: number } } {
  const clock = { ms: 0 };
  const now = () => clock.ms;
  const throttle = createThrottle({ refusalsPerMinute, maxClients, now });
  return { throttle, clock };
}

function isShutOut(throttle: Throttle, address: string): boolean {
  try {
    throttle.charge(address);
    return false;
  } catch {
    return true;
  }
}

Deno.test("Throttle.charge() shuts a client out after a minute's budget, and tells until when", () => {
  const { throttle, clock } = setUp();
  throttle.charge("192.0.2.1");
  throttle.charge("192.0.2.1");
  assert.throws(() => throttle.charge("192.0.2.1"), {
    code: "too_many_refusals",
    retryAfterSec: 30,
  });
  clock.ms += 30_000;
  throttle.charge("192.0.2.1");
});

Deno.test("Throttle.refund() makes what led to a yes free of charge, however it is written", () => {
  const { throttle } = setUp();
  for (let i = 0; i < 100; i++) {
    throttle.charge("192.0.2.1");
    throttle.charge("192.0.2.1");
    throttle.refund("::ffff:192.0.2.1", 2);
  }
});

Deno.test("Throttle holds a network of IPv6, or one IPv4 address, responsible", () => {
  for (
    const [refused, asks, same] of [
      ["192.0.2.1", "192.0.2.1", true],
      ["192.0.2.1", "::ffff:192.0.2.1", true],
      ["::ffff:c000:201", "192.0.2.1", true],
      ["192.0.2.1", "192.0.2.2", false],
      ["::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
      ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true],
      ["2001:db8:1:2::1", "2001:0DB8:0001:0002:0000::7", true],
      ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
      ["2001:db8::1", "192.0.2.1", false],
      ["unknown", "unknown", true],
      ["unknown", "192.0.2.1", false],
    ] as const
  ) {
    const { throttle } = setUp({ refusalsPerMinute: 1 });
    throttle.charge(refused);
    assert.equal(isShutOut(throttle, asks), same, `${refused} and ${asks}`);
  }
});

Deno.test("Throttle remembers a bounded number of clients, those shut out that still ask among them", () => {
  const { throttle } = setUp({ refusalsPerMinute: 1, maxClients: 3 });
  throttle.charge("192.0.2.1");
  throttle.charge("198.51.100.1");
  for (let i = 0; i < 200; i++) {
    throttle.charge(`2001:db8:0:${i.toString(16)}::1`);
    assert(isShutOut(throttle, "192.0.2.1"));
  }
  assert(!isShutOut(throttle, "198.51.100.1"));
});
