import assert from "node:assert/strict";
import { Count } from "../../../src/proxy/counts.ts";
import { FairQueue, type Waiting } from "../../../src/proxy/fair_queue.ts";

interface Named extends Waiting {
  readonly name: string;
}

/** One who waits, as `group member nth`. */
function named(name: string): Named {
  const [group = "", member = ""] = name.split(" ");
  return { name, group, member };
}

/** A queue of these, in this order. */
function queueOf(names: readonly string[]) {
  const queue = new FairQueue<Named>();
  const added = names.map(named);
  for (const each of added) assert.equal(queue.add(each, 1000), undefined);
  return { queue, added };
}

function order(queue: FairQueue<Named>): string[] {
  return [...queue.drain()].map(({ name }) => name);
}

Deno.test("FairQueue gives the members of a group turns: one of them waits for one of each other", () => {
  const { queue } = queueOf(["a x 1", "a x 2", "a x 3", "a y 1", "a y 2"]);
  assert.deepEqual(order(queue), ["a x 1", "a y 1", "a x 2", "a y 2", "a x 3"]);
});

Deno.test("FairQueue gives groups turns, however many members each has", () => {
  const { queue } = queueOf(["a x 1", "a y 1", "a z 1", "a x 2", "b x 1"]);
  assert.deepEqual(order(queue), ["a x 1", "b x 1", "a y 1", "a z 1", "a x 2"]);
});

Deno.test("FairQueue serves one who waits alone next to one with 350 second", () => {
  const many = Array.from({ length: 350 }, (_, nth) => `a x ${nth}`);
  const { queue } = queueOf([...many, "a y 1"]);
  const next = [queue.next(() => true), queue.next(() => true)];
  assert.deepEqual(next.map((each) => each?.name), ["a x 0", "a y 1"]);
});

Deno.test("FairQueue passes over groups that may have none, which keep their turn", () => {
  const { queue } = queueOf(["a x 1", "b x 1", "c x 1"]);
  assert.equal(queue.next((id) => id !== "a")?.name, "b x 1");
  assert.equal(queue.next(() => false), undefined);
  assert.deepEqual(order(queue), ["a x 1", "c x 1"]);
});

Deno.test("FairQueue takes out of one group, whichever has its turn, its members in theirs", () => {
  const { queue } = queueOf(["a x 1", "b x 1", "b x 2", "b y 1"]);
  assert.deepEqual(
    Array.from({ length: 4 }, () => queue.nextOf("b")?.name),
    ["b x 1", "b y 1", "b x 2", undefined],
  );
  assert.deepEqual(order(queue), ["a x 1"]);
});

Deno.test("FairQueue lets nobody in who has as many as anybody else, once it is full", () => {
  const { queue } = queueOf(["a x 1", "b x 1"]);
  const late = named("c x 1");
  assert.equal(queue.add(named("a x 2"), 2)?.name, "a x 2");
  assert.equal(queue.size, 2);
  assert.equal(queue.add(late, 2), late);
  assert.deepEqual(order(queue), ["a x 1", "b x 1"]);
  const { queue: none } = queueOf([]);
  assert.equal(none.add(late, 0), late);
  assert.equal(none.size, 0);
});

Deno.test("FairQueue has the last one of the largest group's largest member leave for one who has fewer", () => {
  const { queue } = queueOf(["a x 1", "a y 1", "a y 2", "a y 3", "b x 1"]);
  assert.equal(queue.add(named("b z 1"), 5)?.name, "a y 3");
  assert.equal(queue.add(named("a z 1"), 5)?.name, "a y 2");
  assert.equal(queue.size, 5);
});

Deno.test("FairQueue forgets who has left, and lets another one in", () => {
  const { queue, added: [first, second] } = queueOf(["a x 1", "a x 2"]);
  assert(first && second);
  queue.remove(second);
  queue.remove(second);
  assert.equal(queue.size, 1);
  assert.equal(queue.add(named("b x 1"), 2), undefined);
  queue.remove(first);
  queue.remove(named("a x 1")); // another one of that name
  assert.deepEqual(order(queue), ["b x 1"]);
  assert.equal(queue.size, 0);
});

Deno.test("FairQueue has the last one of the largest leave where nobody is new, until it is empty", () => {
  const { queue } = queueOf(["a x 1", "b x 1", "b x 2"]);
  const left = Array.from({ length: 4 }, () => queue.removeLast()?.name);
  assert.deepEqual(left, ["b x 2", "a x 1", "b x 1", undefined]);
});

Deno.test("FairQueue counts those in it together with those in other queues", () => {
  const count = new Count();
  const [one, other] = [count, count].map((it) => new FairQueue<Named>(it));
  assert(one && other);
  for (const name of ["a x 1", "a x 2", "b x 1"]) one.add(named(name), 2);
  other.add(named("a x 1"), 2);
  assert.equal(count.value, 3);
  one.next(() => true);
  other.removeLast();
  assert.equal(count.value, 1);
  assert.equal(order(one).length, 1);
  assert.equal(count.value, 0);
});
