import assert from "node:assert/strict";
import {
  type ConnectionUse,
  IdleConnections,
} from "../../../../src/downstream/tls/idle_connections.ts";

/** Room for so many idle connections, each with a name that begins with its client's; time is told by the test. */
function createRoom(max: number) {
  let now = 0;
  const idle = new IdleConnections(max, () => now);
  const closed: string[] = [];
  const sent = new Map<string, number>();
  return {
    closed,
    send: (name: string) => sent.set(name, (sent.get(name) ?? 0) + 1),
    pass(ms: number): void {
      now += ms;
    },
    makeRoom: (client: string) => idle.makeRoom(client),
    add(name: string): ConnectionUse {
      const [client = ""] = name;
      const use = idle.add({
        client,
        sentBytes: () => sent.get(name) ?? 0,
        close() {
          closed.push(name);
          use.close();
        },
      });
      return use;
    },
  };
}

Deno.test("while there is room, nothing is closed", () => {
  const room = createRoom(2);
  room.add("a1");
  room.pass(60_000);
  assert(room.makeRoom("b"));
  assert.deepEqual(room.closed, []);
});

Deno.test("of the client that has most, the one that is idle for the longest time makes room for another client", () => {
  const room = createRoom(3);
  for (const name of ["b1", "a1", "a2"]) room.add(name);
  room.pass(100);
  assert(room.makeRoom("c"));
  assert(room.makeRoom("c"), "as one was closed");
  assert.deepEqual(room.closed, ["a1"]);
});

Deno.test("a connection that is idle for less than 100 ms is not closed for another client", () => {
  const room = createRoom(1);
  room.add("a1");
  room.pass(99);
  assert(!room.makeRoom("b"));
  room.pass(1);
  assert(room.makeRoom("b"));
  assert.deepEqual(room.closed, ["a1"]);
});

Deno.test("nobody makes room for a client that has more, which closes its own after 2 s", () => {
  const room = createRoom(3);
  for (const name of ["b1", "a1", "a2"]) room.add(name);
  room.pass(1_999);
  assert(!room.makeRoom("a"));
  room.pass(1);
  assert(room.makeRoom("a"));
  assert.deepEqual(room.closed, ["a1"]);
});

Deno.test("a client that has as many as others makes room for itself alone", () => {
  const room = createRoom(2);
  room.add("b1");
  room.add("a1");
  room.pass(2_000);
  assert(room.makeRoom("a"));
  assert.deepEqual(room.closed, ["a1"]);
});

Deno.test("a connection is idle again once all of its requests are over, and counts from then on", () => {
  const room = createRoom(1);
  const use = room.add("a1");
  use.begin();
  use.begin();
  assert(room.makeRoom("b"), "one in use is none of them");
  use.end();
  room.pass(5_000);
  assert(room.makeRoom("b"));
  use.end();
  assert(!room.makeRoom("b"));
  room.pass(100);
  assert(room.makeRoom("b"));
  assert.deepEqual(room.closed, ["a1"]);
});

Deno.test("a connection that is still sent something is not idle for so long", () => {
  const room = createRoom(2);
  room.add("a1");
  room.add("a2");
  room.send("a1");
  room.pass(100);
  assert(room.makeRoom("b"));
  assert.deepEqual(room.closed, ["a2"]);
  room.pass(99);
  room.add("c1");
  assert(!room.makeRoom("b"), "it is idle for less");
});

Deno.test("a connection that is closed takes no room, not even if its last request is over after that", () => {
  const room = createRoom(1);
  const use = room.add("a1");
  use.begin();
  use.close();
  use.end();
  assert(room.makeRoom("b"));
  room.add("a2").close();
  assert(room.makeRoom("b"));
  assert.deepEqual(room.closed, []);
});
