import assert from "node:assert/strict";
import { ByteBudget, type Holding } from "../../../src/stream/byte_budget.ts";

/** A budget of 100 bytes, and holders that note in `evicted` when they have to go. */
function setUp(allowanceBytes = 0): {
  budget: ByteBudget;
  evicted: string[];
  reported: [string, number][];
  open(name: string, bytes: number): Holding;
  openStuck(name: string, bytes: number): Holding;
} {
  const evicted: string[] = [];
  const reported: [string, number][] = [];
  const budget = new ByteBudget({
    limitBytes: 100,
    allowanceBytes,
    onEvicted: (kind, bytes) => reported.push([kind, bytes]),
  });
  function open(name: string, bytes: number): Holding {
    const holding = budget.open(name, () => {
      evicted.push(name);
      holding.close();
    });
    holding.set(bytes);
    return holding;
  }
  function openStuck(name: string, bytes: number): Holding {
    const holding = budget.open(name, () => evicted.push(name));
    holding.set(bytes);
    return holding;
  }
  return { budget, evicted, reported, open, openStuck };
}

Deno.test("a budget counts what its holders keep", () => {
  const { budget, open, evicted } = setUp();
  const a = open("a", 40);
  const b = open("b", 50);
  assert.equal(b.add(-20), true);
  assert.equal(a.add(5), true);
  assert.equal(budget.usedBytes, 75);
  a.close();
  assert.equal(budget.usedBytes, 30);
  assert.deepEqual(evicted, []);
  assert.equal(budget.holders, 1);
  b.close();
  assert.equal(budget.holders, 0);
});

Deno.test("S3: over the limit the largest holder has to go, whoever asked", () => {
  const { budget, open, evicted, reported } = setUp();
  const small = open("small", 10);
  const large = open("large", 60);
  const other = open("other", 30);
  assert.equal(small.add(1), true, "the innocent one goes on");
  assert.deepEqual(evicted, ["large"]);
  assert.deepEqual(reported, [["large", 60]]);
  assert.equal(large.add(1), false);
  assert.equal(other.add(1), true);
  assert.equal(budget.usedBytes, 42);
});

Deno.test("of holders that keep as much, the latest has to go", () => {
  const { open, evicted } = setUp();
  open("first", 40);
  open("second", 40);
  open("third", 1).add(20);
  assert.deepEqual(evicted, ["second"]);
});

Deno.test("there is plenty as long as half of the budget stays free", () => {
  const { budget, open } = setUp();
  open("a", 30);
  assert.deepEqual([budget.hasPlenty(20), budget.hasPlenty(21)], [true, false]);
});

Deno.test("a holder that becomes the largest one by asking has to go itself", () => {
  const { budget, open, evicted } = setUp();
  open("innocent", 60);
  const hog = open("hog", 0);
  assert.equal(hog.add(1_000), false);
  assert.deepEqual(evicted, ["hog"]);
  assert.equal(budget.usedBytes, 60);
});

Deno.test("as many holders go as must", () => {
  const { budget, open, evicted } = setUp();
  open("a", 30);
  open("b", 35);
  open("c", 30);
  const asking = open("asking", 1);
  assert.equal(asking.add(29), true);
  assert.deepEqual(evicted, ["b"]);
  assert.equal(asking.add(11), false);
  assert.deepEqual(evicted, ["b", "asking"]);
  assert.equal(budget.usedBytes, 60);
});

Deno.test("nobody has to go for the bytes of a holder that cannot let go, but whoever asks", () => {
  const { budget, open, openStuck, evicted } = setUp();
  openStuck("stuck", 90);
  const innocent = open("innocent", 5);
  const asking = open("asking", 1);
  assert.equal(asking.add(10), false);
  assert.deepEqual(evicted, ["stuck", "asking"]);
  assert.equal(innocent.add(1), true);
  assert.equal(budget.usedBytes, 96, "what is still kept still counts");
});

Deno.test("no holder has to go twice, and one that had to go takes no more", () => {
  const { budget, open, openStuck, evicted } = setUp();
  const stuck = openStuck("stuck", 99);
  assert.equal(stuck.add(2), false);
  assert.deepEqual(evicted, ["stuck"]);
  assert.equal(stuck.add(1), false);
  assert.equal(budget.usedBytes, 99, "what was refused is not counted");
  assert.equal(open("next", 1).add(1), false);
  assert.deepEqual(evicted, ["stuck", "next"]);
  assert.equal(stuck.set(40), true, "but it may let go");
  assert.equal(open("later", 30).add(30), true);
  stuck.close();
  assert.equal(budget.usedBytes, 60);
});

Deno.test("a holder may let go of less than all, and close while it is evicted", () => {
  const { budget, open } = setUp();
  const holding = budget.open("half", () => holding.set(40));
  holding.set(80);
  const asking = open("asking", 30);
  assert.equal(asking.bytes, 30);
  assert.equal(budget.usedBytes, 70);
  holding.close();
  holding.close();
  assert.equal(holding.add(-40), false);
  assert.deepEqual([holding.bytes, budget.usedBytes], [0, 30]);
});

Deno.test("a holder that charges another while it has to go does not evict again", () => {
  const { budget, open, evicted } = setUp();
  const other = open("other", 30);
  const hog = budget.open("hog", () => {
    evicted.push("hog");
    hog.close();
    other.add(2);
  });
  assert.equal(hog.set(90), false);
  assert.deepEqual(evicted, ["hog"]);
  assert.equal(budget.usedBytes, 32);
});

Deno.test("S3: whoever keeps no more than the allowance is not charged, and never has to go", () => {
  const { budget, open, openStuck, evicted } = setUp(10);
  const small = open("small", 10);
  assert.equal(budget.usedBytes, 0);
  openStuck("stuck", 108);
  assert.equal(budget.usedBytes, 98);
  const asking = open("asking", 12);
  assert.equal(asking.add(1), false);
  assert.deepEqual(evicted, ["stuck", "asking"]);
  assert.equal(small.add(-10), true);
  assert.equal(small.add(10), true);
  assert.equal(small.add(1), true, "there is room for one byte");
  assert.equal(budget.usedBytes, 99);
  small.close();
  assert.equal(budget.usedBytes, 98);
});

/** A budget of 100 bytes, of which each holder is a client's; one that is stuck lets go of nothing. */
function clientsOf(budget: ByteBudget, evicted: string[]) {
  return (name: string, client: string, bytes: number, isStuck = false) => {
    const holding = budget.open(name, () => {
      evicted.push(name);
      if (!isStuck) holding.close();
    }, client);
    return { holding, isKept: holding.set(bytes) };
  };
}

Deno.test("S16: of the client that keeps most, the largest holder has to go, though others have larger ones", () => {
  const evicted: string[] = [];
  const budget = new ByteBudget({ limitBytes: 100 });
  const open = clientsOf(budget, evicted);
  for (let i = 0; i < 6; i++) open(`small ${i}`, "hog", 10 + i);
  assert.equal(open("large", "innocent", 30).isKept, true);
  assert.deepEqual(evicted, ["small 5"]);
  assert.equal(budget.usedBytes, 90);
});

Deno.test("S16: a client whose holders cannot let go leaves a quarter of the budget to others", () => {
  const evicted: string[] = [];
  const budget = new ByteBudget({ limitBytes: 100 });
  const open = clientsOf(budget, evicted);
  for (let i = 0; i < 20; i++) open(`small ${i}`, "hog", 5, true);
  assert.equal(budget.usedBytes, 75);
  assert.equal(open("large", "innocent", 25).isKept, true);
  assert.ok(evicted.every((name) => name.startsWith("small")));
});

Deno.test("what a client has let go of counts against it no more", () => {
  const evicted: string[] = [];
  const budget = new ByteBudget({ limitBytes: 100, allowanceBytes: 10 });
  const open = clientsOf(budget, evicted);
  const { holding } = open("first", "client", 60);
  assert.equal(holding.clientBytes, 50);
  holding.add(-30);
  assert.equal(holding.clientBytes, 20);
  const second = open("second", "client", 60).holding;
  assert.equal(second.clientBytes, 70);
  holding.close();
  assert.equal(second.clientBytes, 50);
  second.close();
  assert.equal(open("third", "client", 80).holding.clientBytes, 70);
  assert.deepEqual(evicted, []);
});

Deno.test("S16: a small holder of a client whose others cannot let go does not have to go in vain", () => {
  const evicted: string[] = [];
  const budget = new ByteBudget({ limitBytes: 100, allowanceBytes: 10 });
  const open = clientsOf(budget, evicted);
  const { holding: small } = open("small", "neighbours", 10);
  open("stuck", "neighbours", 80, true);
  assert.equal(open("first", "other", 60).isKept, false);
  assert.equal(open("second", "other", 60).isKept, false);
  assert.deepEqual(evicted, ["stuck", "first", "second"]);
  assert.equal(small.add(1), true, "it goes on");
});
