import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { SocketTurns } from "../../../src/platform/socket_turns.ts";
import { stillNeeded } from "./canary.ts";

/** More than it would take if sockets were polled in each turn. */
const FEW_TURNS = 8;

/** Counts turns of the event loop, which is never idle meanwhile. */
function keepTurning(): { turns: number } & Disposable {
  let isTurning = true;
  const counter = {
    turns: 0,
    [Symbol.dispose]() {
      isTurning = false;
    },
  };
  setImmediate(function count() {
    counter.turns++;
    if (isTurning) setImmediate(count);
  });
  return counter;
}

/** Both ends of a connection. */
async function connectSelf(): Promise<
  { one: Deno.TcpConn; other: Deno.TcpConn } & Disposable
> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [one, other] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  return {
    one,
    other,
    [Symbol.dispose]() {
      one.close();
      other.close();
    },
  };
}

Deno.test("SocketTurns.next() resolves once the sockets of others have been polled", async () => {
  using turns = await SocketTurns.open();
  using connection = await connectSelf();
  for (let round = 0; round < 20; round++) {
    let isRead = false;
    const reading = connection.other.read(new Uint8Array(1))
      .then(() => isRead = true);
    await connection.one.write(new Uint8Array(1));
    using _ = keepTurning();
    await turns.next();
    await new Promise((resolve) => setImmediate(resolve));
    assert(isRead, `round ${round}`);
    await reading;
  }
});

Deno.test("SocketTurns.next() resolves for all who wait, in any number of turns, and after the end", async () => {
  const turns = await SocketTurns.open();
  let resolved = 0;
  const wait = () => turns.next().then(() => void resolved++);
  const together = Promise.all([wait(), wait(), wait()]);
  assert.equal(resolved, 0);
  await turns.next();
  await together;
  assert.equal(resolved, 3);
  const last = wait();
  turns[Symbol.dispose]();
  await last;
  await wait();
  assert.equal(resolved, 5);
});

Deno.test("canary: a busy event loop polls its sockets only once in many turns", async () => {
  using connection = await connectSelf();
  const reading = connection.other.read(new Uint8Array(1));
  using counter = keepTurning();
  await new Promise((resolve) => setImmediate(resolve));
  await connection.one.write(new Uint8Array(1));
  const before = counter.turns;
  await reading;
  const turns = counter.turns - before;
  stillNeeded(turns > FEW_TURNS, {
    mended: "sockets that are not polled by a busy event loop",
    remove: "src/platform/socket_turns.ts: setImmediate() is a turn then",
  });
});
