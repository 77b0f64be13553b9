import assert from "node:assert/strict";
import {
  type LookupOutcome,
  Throttle,
  type ThrottledClient,
} from "../../../src/auth/throttle.ts";
import { GatewayError } from "../../../src/errors.ts";

function setUp(
  { refusalsPerMinute = 2, maxClients = 100 } = {},
): { throttle: Throttle; clock: { ms: number } } {
  const clock = { ms: 0 };
  const now = () => clock.ms;
  const throttle = new Throttle({ refusalsPerMinute, maxClients, now });
  return { throttle, clock };
}

/** Who pays: the client at that address, or there a page. */
function caller(clientAddress: string, isSentByPage = false): ThrottledClient {
  return { clientAddress, isSentByPage };
}

function isShutOut(throttle: Throttle, client: ThrottledClient): boolean {
  try {
    throttle.budgetFor(client).spend();
    return false;
  } catch {
    return true;
  }
}

Deno.test("Throttle refuses a client after a minute's budget, and says when to retry", () => {
  const { throttle, clock } = setUp();
  throttle.budgetFor(caller("192.0.2.1")).spend();
  throttle.budgetFor(caller("192.0.2.1")).spend();
  assert.throws(() => throttle.budgetFor(caller("192.0.2.1")).spend(), {
    code: "too_many_refusals",
    retryAfterSec: 30,
  });
  clock.ms += 30_000;
  throttle.budgetFor(caller("192.0.2.1")).spend();
});

Deno.test("RequestBudget refunds what led to an admission, however the address is written", () => {
  const { throttle } = setUp();
  for (let i = 0; i < 100; i++) {
    for (const address of ["192.0.2.1", "::ffff:192.0.2.1"]) {
      const budget = throttle.budgetFor(caller(address));
      assert(!budget.hasLookups);
      budget.spend();
      budget.spend();
      budget.settle({ isAdmitted: true });
      assert(budget.hasLookups);
    }
  }
});

Deno.test("RequestBudget refunds a failed request, unless the client is at fault", () => {
  for (
    const [outcome, isRefunded] of [
      [{ isAdmitted: true }, true],
      [{ isAdmitted: false }, false],
      [{ error: new GatewayError("api_unreachable", "") }, true],
      [{ error: new TypeError("A defect") }, true],
      [{ error: new GatewayError("api_throttled", "") }, true],
      [{ error: new GatewayError("user_throttled", "") }, false],
    ] satisfies [LookupOutcome, boolean][]
  ) {
    const { throttle } = setUp({ refusalsPerMinute: 1 });
    const budget = throttle.budgetFor(caller("192.0.2.1"));
    budget.spend();
    budget.settle(outcome);
    budget.settle({ isAdmitted: true }); // settled already
    assert.equal(isShutOut(throttle, caller("192.0.2.1")), !isRefunded);
  }
});

Deno.test("RequestBudget that was used up refunds nothing of a failed request", () => {
  const { throttle } = setUp({ refusalsPerMinute: 1 });
  const budget = throttle.budgetFor(caller("192.0.2.1"));
  budget.spend();
  assert.throws(() => budget.spend(), { code: "too_many_refusals" });
  budget.settle({ error: new GatewayError("too_many_refusals", "") });
  assert(isShutOut(throttle, caller("192.0.2.1")));
});

Deno.test("Throttle counts an IPv4 address, or a subnet of IPv6, as one client", () => {
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
    throttle.budgetFor(caller(refused)).spend();
    assert.equal(
      isShutOut(throttle, caller(asks)),
      same,
      `${refused} and ${asks}`,
    );
  }
});

Deno.test("Throttle remembers a bounded number of clients, and does not forget one that keeps asking", () => {
  const { throttle } = setUp({ refusalsPerMinute: 1, maxClients: 3 });
  throttle.budgetFor(caller("192.0.2.1")).spend();
  throttle.budgetFor(caller("198.51.100.1")).spend();
  for (let i = 0; i < 200; i++) {
    throttle.budgetFor(caller(`2001:db8:0:${i.toString(16)}::1`)).spend();
    assert(isShutOut(throttle, caller("192.0.2.1")));
  }
  assert(!isShutOut(throttle, caller("198.51.100.1")));
});

Deno.test("S8: what pages send is charged to a budget of its own, so that no page shuts out its visitor", () => {
  const { throttle } = setUp({ refusalsPerMinute: 1 });
  throttle.budgetFor(caller("192.0.2.1", true)).spend();
  assert(isShutOut(throttle, caller("192.0.2.1", true)));
  assert(!isShutOut(throttle, caller("192.0.2.1")));
  assert(!isShutOut(throttle, caller("192.0.2.2", true)));
});

Deno.test("S8: a page's lookups are refunded to the page's budget", () => {
  const { throttle } = setUp({ refusalsPerMinute: 1 });
  for (let i = 0; i < 5; i++) {
    const budget = throttle.budgetFor(caller("192.0.2.1", true));
    budget.spend();
    budget.settle({ isAdmitted: true });
  }
  assert(!isShutOut(throttle, caller("192.0.2.1", true)));
  assert(isShutOut(throttle, caller("192.0.2.1", true)));
});
