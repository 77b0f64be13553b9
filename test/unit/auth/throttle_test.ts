import assert from "node:assert/strict";
import {
  type LookupOutcome,
  type RequestBudget,
  Throttle,
  type ThrottledClient,
} from "../../../src/auth/throttle.ts";
import { GatewayError } from "../../../src/errors.ts";

function setUp(
  { refusalsPerMinute = 2, lookups = 10, maxClients = 100 } = {},
): {
  throttle: Throttle;
  clock: { ms: number };
  charges: (readonly [client: string, count: number])[];
} {
  const clock = { ms: 0 };
  const charges: (readonly [string, number])[] = [];
  const throttle = new Throttle({
    refusalsPerMinute,
    lookups,
    maxClients,
    now: () => clock.ms,
    onCharge: (...charge) => charges.push(charge),
  });
  return { throttle, clock, charges };
}

/** Who asks: the client at that address, or there a page. */
function caller(clientAddress: string, isSentByPage = false): ThrottledClient {
  return { clientAddress, isSentByPage };
}

const CLIENT = caller("192.0.2.1");

/** One request whose only lookup leads to a refusal. */
function refuse(throttle: Throttle, client = CLIENT): void {
  const budget = throttle.budgetFor(client);
  budget.spend();
  budget.settle({ isAdmitted: false });
}

/** Requests with one lookup each, all of them under way. */
function begin(throttle: Throttle, count: number): RequestBudget[] {
  return Array.from({ length: count }, () => {
    const budget = throttle.budgetFor(CLIENT);
    budget.spend();
    return budget;
  });
}

function isShutOut(throttle: Throttle, client: ThrottledClient): boolean {
  const budget = throttle.budgetFor(client);
  try {
    budget.spend();
    return false;
  } catch {
    return true;
  } finally {
    budget.settle({ isAdmitted: true });
  }
}

Deno.test("Throttle refuses a client after a minute's budget, and says when to retry", () => {
  const { throttle, clock, charges } = setUp();
  refuse(throttle);
  refuse(throttle);
  assert.throws(() => refuse(throttle), {
    code: "too_many_refusals",
    retryAfterSec: 30,
  });
  assert.deepEqual(charges, Array(2).fill(["192.0.2.1", 1]));
  clock.ms += 30_000;
  refuse(throttle);
});

Deno.test("Throttle charges nobody who waits, and lets so many wait and no more", () => {
  const { throttle, charges } = setUp({ refusalsPerMinute: 1, lookups: 3 });
  const waiting = begin(throttle, 3);
  assert.throws(() => begin(throttle, 1), { code: "too_many_lookups" });
  assert(!isShutOut(throttle, caller("192.0.2.2")));
  assert(!isShutOut(throttle, caller("192.0.2.1", true)));
  waiting.pop()?.settle({ isAdmitted: true });
  waiting.push(...begin(throttle, 1));
  for (const budget of waiting) budget.settle({ isAdmitted: true });
  assert.deepEqual(charges, []);
  assert(!isShutOut(throttle, CLIENT));
});

/** How many lookups so many requests at once make, each as many as it may, before all of them are refused. */
function attack(
  throttle: Throttle,
  { requests, perRequest }: { requests: number; perRequest: number },
): number {
  let made = 0;
  const budgets = Array.from(
    { length: requests },
    () => throttle.budgetFor(CLIENT),
  );
  const going = new Set(budgets);
  for (let i = 0; i < perRequest; i++) {
    for (const budget of going) {
      try {
        budget.spend();
        made++;
      } catch {
        going.delete(budget);
      }
    }
  }
  for (const budget of budgets) budget.settle({ isAdmitted: false });
  return made;
}

Deno.test("a burst of refusals exceeds the budget by the lookups under way at most, whichever requests make them", () => {
  for (const perRequest of [1, 2, 5]) {
    const { throttle, clock } = setUp({ refusalsPerMinute: 30, lookups: 20 });
    let made = 0;
    for (let wave = 0; wave < 10; wave++) {
      made += attack(throttle, { requests: 100, perRequest });
    }
    assert(made >= 30 && made <= 30 + 20, `${perRequest}: ${made}`);
    // What exceeds the budget is owed.
    assert(isShutOut(throttle, CLIENT));
    clock.ms += 60_000;
    assert(!isShutOut(throttle, CLIENT));
  }
});

Deno.test("a request that has begun goes on where a new one has to wait, as long as the budget allows", () => {
  const { throttle } = setUp({ refusalsPerMinute: 3, lookups: 2 });
  const [first, second] = begin(throttle, 2);
  first?.spend();
  second?.spend();
  assert.throws(() => begin(throttle, 1), { code: "too_many_lookups" });
  assert.throws(() => first?.spend(), { code: "too_many_lookups" });
  for (const budget of [first, second]) budget?.settle({ isAdmitted: true });
  assert(!isShutOut(throttle, CLIENT));
});

Deno.test("RequestBudget charges nothing that led to an admission, however the address is written", () => {
  const { throttle, charges } = setUp();
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
  assert.deepEqual(charges, []);
});

Deno.test("RequestBudget charges no failed request, unless the client is at fault", () => {
  for (
    const [outcome, isCharged] of [
      [{ isAdmitted: true }, false],
      [{ isAdmitted: false }, true],
      [{ error: new GatewayError("api_unreachable", "") }, false],
      [{ error: new TypeError("A defect") }, false],
      [{ error: new GatewayError("api_throttled", "") }, false],
      [{ error: new GatewayError("user_throttled", "") }, true],
    ] satisfies [LookupOutcome, boolean][]
  ) {
    const { throttle } = setUp({ refusalsPerMinute: 1 });
    const budget = throttle.budgetFor(CLIENT);
    budget.spend();
    budget.settle(outcome);
    budget.settle({ isAdmitted: false }); // settled already
    assert.equal(isShutOut(throttle, CLIENT), isCharged);
  }
});

Deno.test("RequestBudget that met a limit is charged for its lookups, though the request failed", () => {
  for (const lookups of [1, 2]) {
    const { throttle, charges } = setUp({ refusalsPerMinute: 1, lookups });
    const budget = throttle.budgetFor(CLIENT);
    budget.spend();
    if (lookups === 2) refuse(throttle);
    const code = lookups === 1 ? "too_many_lookups" : "too_many_refusals";
    assert.throws(() => budget.spend(), { code });
    budget.settle({ error: new GatewayError("api_unreachable", "") });
    assert.deepEqual(charges.at(-1), ["192.0.2.1", 1]);
  }
});

Deno.test("Throttle takes over what a client was refused elsewhere, and tells nobody that again", () => {
  const { throttle, charges } = setUp({ refusalsPerMinute: 2 });
  throttle.charge("192.0.2.1", 1);
  assert(!isShutOut(throttle, CLIENT));
  throttle.charge("192.0.2.1", 1);
  assert(isShutOut(throttle, CLIENT));
  assert(!isShutOut(throttle, caller("192.0.2.2")));
  assert.deepEqual(charges, []);
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
    refuse(throttle, caller(refused));
    assert.equal(
      isShutOut(throttle, caller(asks)),
      same,
      `${refused} and ${asks}`,
    );
  }
});

Deno.test("Throttle remembers a bounded number of clients, and does not forget one that keeps asking", () => {
  const { throttle } = setUp({ refusalsPerMinute: 1, maxClients: 3 });
  refuse(throttle);
  refuse(throttle, caller("198.51.100.1"));
  for (let i = 0; i < 200; i++) {
    refuse(throttle, caller(`2001:db8:0:${i.toString(16)}::1`));
    assert(isShutOut(throttle, CLIENT));
  }
  assert(!isShutOut(throttle, caller("198.51.100.1")));
});

Deno.test("S8: what pages send is charged to a budget of its own, so that no page shuts out its visitor", () => {
  const { throttle, charges } = setUp({ refusalsPerMinute: 1 });
  refuse(throttle, caller("192.0.2.1", true));
  assert(isShutOut(throttle, caller("192.0.2.1", true)));
  assert(!isShutOut(throttle, CLIENT));
  assert(!isShutOut(throttle, caller("192.0.2.2", true)));
  assert.deepEqual(charges, [["page 192.0.2.1", 1]]);
});

Deno.test("S8: a page's lookups under way are counted apart, too", () => {
  const { throttle } = setUp({ lookups: 1 });
  const page = throttle.budgetFor(caller("192.0.2.1", true));
  page.spend();
  assert(isShutOut(throttle, caller("192.0.2.1", true)));
  assert(!isShutOut(throttle, CLIENT));
  page.settle({ isAdmitted: true });
  assert(!isShutOut(throttle, caller("192.0.2.1", true)));
});

Deno.test("a question to the store is the client's to pay for, whatever is left of the API's quota", () => {
  const throttle = new Throttle({
    refusalsPerMinute: 1,
    lookups: 10,
    maxClients: 10,
    now: () => 0,
    checkQuota() {
      throw new Error("low");
    },
  });
  const budget = throttle.budgetFor(CLIENT);
  assert.throws(() => budget.spend(), /low/);
  budget.spend("store");
  budget.settle({ isAdmitted: false });
  assert.throws(() => throttle.budgetFor(CLIENT).spend("store"), {
    code: "too_many_refusals",
  });
});
