import assert from "node:assert/strict";
import { LinkedList } from "../../../src/lib/linked_list.ts";
import { stillNeeded } from "../platform/canary.ts";
import { keptMemory } from "../../support/kept_memory.ts";

Deno.test("LinkedList has its members in the order in which they came, whoever leaves", () => {
  const roster = new LinkedList<string>();
  const nodes = [..."abcde"].map((one) => roster.add(one));
  assert.deepEqual([...roster], [..."abcde"]);
  for (
    const [one, others] of [["c", "abde"], ["a", "bde"], ["e", "bd"]] as const
  ) {
    for (const node of nodes) if (node.member === one) roster.remove(node);
    assert.deepEqual([...roster], [...others]);
    assert.equal(roster.size, others.length);
  }
  roster.add("f");
  assert.deepEqual([...roster], [..."bdf"]);
});

Deno.test("LinkedList is empty once all have left, and may be entered again", () => {
  const roster = new LinkedList<string>();
  for (let round = 0; round < 2; round++) {
    const nodes = [roster.add("a"), roster.add("b")];
    for (const node of nodes) roster.remove(node);
    assert.deepEqual([...roster], []);
    assert.equal(roster.size, 0);
  }
});

Deno.test("LinkedList removes a member once, and not its equal that came later", () => {
  const roster = new LinkedList<string>();
  const node = roster.add("a");
  roster.remove(node);
  roster.add("a");
  roster.remove(node);
  assert.deepEqual([...roster], ["a"]);
  assert.equal(roster.size, 1);
});

Deno.test("LinkedList is seen to its end although each member leaves once it was seen", () => {
  const roster = new LinkedList<string>();
  for (const one of "abc") roster.add(one);
  const seen: string[] = [];
  for (const node of roster.nodes()) {
    roster.remove(node);
    seen.push(node.member);
  }
  assert.deepEqual(seen, [..."abc"]);
  assert.equal(roster.size, 0);
});

/** The most memory that V8 has while thousands enter and leave, with 500 in at any time; bytes. */
function peakOf(add: (member: object) => () => void): number {
  const leave: (() => void)[] = [];
  const before = keptMemory().heapUsed;
  let peak = 0;
  for (let i = 0; i < 300_000; i++) {
    const at = i % 500;
    leave[at]?.();
    leave[at] = add({ payload: new Array(60).fill(i) });
    if (i % 500 === 0) peak = Math.max(peak, Deno.memoryUsage().heapUsed);
  }
  return peak - before;
}

Deno.test("canary: V8 frees those who have left a LinkedList, but not those who have left a Set", () => {
  const roster = new LinkedList<object>();
  const inRoster = peakOf((one) => { // 8 to 9 MB
    const node = roster.add(one);
    return () => roster.remove(node);
  });
  const set = new Set<object>();
  const inSet = peakOf((one) => { // 90 to 110 MB
    set.add(one);
    return () => set.delete(one);
  });
  stillNeeded(inRoster < inSet / 4, {
    mended: "Sets whose outgrown tables keep members alive",
    remove: "roster.ts",
  });
});
