import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { AcceptQueue } from "../../../../src/downstream/tls/accept_queue.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

/**
 * Connections by number, in the order in which they begin, on an event loop that turns when the test says so. There is
 * room for all clients, of which odd and even ones are two, that are not in `crowded`.
 */
function createDoor() {
  const turns: (() => void)[] = [];
  const crowded = new Set<string>();
  const newcomers = new AcceptQueue(
    () => new Promise((resolve) => turns.push(resolve)),
    (client) => !crowded.has(client),
  );
  const begun: number[] = [];
  const connections = new Map<number, { destroyed: boolean }>();
  return {
    begun,
    crowded,
    come(...numbers: readonly number[]): void {
      for (const number of numbers) {
        const connection = { destroyed: false };
        connections.set(number, connection);
        void newcomers.turn(connection, clientOf(number)).then(() =>
          begun.push(number)
        );
      }
    },
    leave(...numbers: readonly number[]): void {
      for (const number of numbers) {
        Object.assign(connections.get(number) ?? {}, { destroyed: true });
      }
    },
    async turn(): Promise<void> {
      turns.shift()?.();
      await turn();
    },
  };
}

function clientOf(number: number): string {
  return number % 2 === 0 ? "even" : "odd";
}

Deno.test("a connection that comes alone begins at once", async () => {
  const door = createDoor();
  door.come(1);
  await turn();
  assert.deepEqual(door.begun, [1]);
});

Deno.test("A25: of many connections at once, four begin in each turn of the event loop, the newest and the oldest in turn", async () => {
  const door = createDoor();
  door.come(1, 2, 3, 4, 5, 6, 7);
  await turn();
  assert.deepEqual(door.begun, [1]);
  await door.turn();
  assert.deepEqual(door.begun, [1, 7, 2, 6, 3]);
  door.come(8);
  await door.turn();
  assert.deepEqual(door.begun, [1, 7, 2, 6, 3, 8, 4, 5]);
});

Deno.test("once all have begun, the next one does not wait", async () => {
  const door = createDoor();
  door.come(1);
  await door.turn();
  door.come(2);
  await turn();
  assert.deepEqual(door.begun, [1, 2]);
});

Deno.test("a connection that is closed while it waits takes nobody's turn", async () => {
  const door = createDoor();
  door.come(1, 2, 3, 4, 5, 6, 7, 8);
  await turn();
  door.leave(2, 3, 7, 8);
  await door.turn();
  assert.deepEqual(door.begun, [1, 6, 4, 5]);
});

Deno.test("who has no room waits, and holds up nobody else", async () => {
  const door = createDoor();
  door.crowded.add("even");
  door.come(1, 2, 3, 4, 5, 6, 7);
  await turn();
  await door.turn();
  assert.deepEqual(door.begun, [1, 7, 3, 5]);
});

Deno.test("those who wait begin once there is room", async () => {
  using clock = fakeClock();
  const door = createDoor();
  door.crowded.add("even");
  door.come(2, 4);
  await turn();
  clock.pass(10);
  await turn();
  assert.deepEqual(door.begun, []);
  door.crowded.clear();
  clock.pass(10);
  await turn();
  assert.deepEqual(door.begun, [4, 2]);
});
