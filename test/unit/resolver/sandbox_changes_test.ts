import assert from "node:assert/strict";
import { Background } from "../../../src/lib/background.ts";
import {
  type Change,
  SandboxChanges,
} from "../../../src/resolver/sandbox_changes.ts";

/** Processes that hear each other, and what the memory of each was told. */
function setUp(count: number) {
  const listeners: ((message: string) => void)[] = [];
  const log: string[] = [];
  const marks = new Set<string>();
  const store = {
    announce(message: string) {
      log.push("announce");
      listeners.forEach((listener) => listener(message));
      return Promise.resolve();
    },
    listen: (listener: (message: string) => void) =>
      void listeners.push(listener),
  };
  const all = Array.from({ length: count }, (_, index) => {
    const background = new Background(() => {});
    const changes = new SandboxChanges(store, background);
    changes.tell([{
      async forget(sandboxId: string, { mark, tiers }: Change) {
        await Promise.resolve();
        log.push(`${index} forgets ${sandboxId} in ${tiers}`);
        marks.add(mark);
      },
    }]);
    return { changes, settled: () => background.settled() };
  });
  return { all, log, marks, store };
}

Deno.test("a change is forgotten in both tiers where it is noticed, and only then, in process, everywhere else", async () => {
  const { all: [first, second], log, marks } = setUp(2);
  await first?.changes.announce("box");
  await second?.settled();
  await first?.settled();
  assert.deepEqual(log, [
    "0 forgets box in both",
    "announce",
    "1 forgets box in process",
  ]);
  assert.equal(marks.size, 1); // what they learn since is stored under the same keys
  await first?.changes.announce("box");
  await second?.settled();
  assert.equal(marks.size, 2);
});

Deno.test("what the durable tier knows already is forgotten in process, by everybody else", async () => {
  const { all: [first, second], log } = setUp(2);
  await first?.changes.announceStored("box");
  await first?.settled();
  await second?.settled();
  assert.deepEqual(log, ["announce", "1 forgets box in process"]);
});

Deno.test("an announcement in another form is nobody's", async () => {
  const { all: [only], log, store } = setUp(1);
  const mark = "00000000-0000-4000-8000-000000000000.1";
  for (
    const message of [
      "",
      "null",
      "{",
      JSON.stringify({ id: "box" }),
      JSON.stringify({ id: "../box", mark }),
      JSON.stringify({ id: 7, mark }),
      JSON.stringify({ id: "box", mark: "m".repeat(5000) }),
    ]
  ) await store.announce(message);
  await only?.settled();
  assert.deepEqual(log.filter((line) => line !== "announce"), []);
  await store.announce(JSON.stringify({ id: "box", mark }));
  await only?.settled();
  assert.equal(log.at(-1), "0 forgets box in process");
});

Deno.test("without a database, a change is forgotten in this process", async () => {
  const told: string[] = [];
  const background = new Background(() => {});
  const changes = new SandboxChanges(null, background);
  changes.tell([{ forget: (id) => void told.push(id) }]);
  await changes.announce("box");
  assert.deepEqual(told, ["box"]);
});
