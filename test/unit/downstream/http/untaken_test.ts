import assert from "node:assert/strict";
import { UntakenAnswers } from "../../../../src/downstream/http/untaken.ts";

interface Sent {
  readonly client: string;
  readonly delivered: Promise<void>;
  readonly socket: { sentBytes: number; close(): void };
  readonly isClosed: boolean;
  /** Has the client take it, or leave. */
  end(how?: "taken" | "left"): Promise<void>;
}

function sent(client: string): Sent {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isClosed = false;
  return {
    client,
    delivered: promise,
    socket: { sentBytes: 0, close: () => void (isClosed = true) },
    get isClosed() {
      return isClosed;
    },
    async end(how = "taken") {
      if (how === "taken") resolve();
      else reject(new Error("gone"));
      await promise.catch(() => {});
      await Promise.resolve();
    },
  };
}

function answers(max: number) {
  const clock = { now: 0 };
  let closed = 0;
  const untaken = new UntakenAnswers({
    max,
    now: () => clock.now,
    onClosed: () => closed++,
  });
  return { clock, untaken, closed: () => closed };
}

for (
  const [max, most] of [[400, 100], [4000, 100], [128, 32], [2, 1]] as const
) {
  Deno.test(`of ${max} answers that may wait to be taken, ${most} may be one client's`, async () => {
    const { untaken } = answers(max);
    const admitted = Array.from({ length: most }, () => sent("a"));
    for (const each of admitted) assert.equal(untaken.admit(each), true);
    assert.equal(untaken.admit(sent("a")), false);
    assert.equal(untaken.admit(sent("b")), true);
    await admitted[0]?.end();
    assert.equal(untaken.admit(sent("a")), true);
  });
}

Deno.test("an answer whose client left waits no longer", async () => {
  const { untaken } = answers(4);
  const one = sent("a");
  untaken.admit(one);
  await one.end("left");
  assert.equal(untaken.count, 0);
  assert.equal(untaken.admit(sent("a")), true);
});

Deno.test("where all places are taken, a connection of the client with most is closed for one who has less", () => {
  const { clock, untaken, closed } = answers(8);
  const [first, second] = [sent("a"), sent("a")];
  untaken.admit(first);
  untaken.admit(second);
  for (const client of "bcdefg") untaken.admit(sent(client));
  clock.now = 1001;
  assert.equal(untaken.admit(sent("h")), true);
  assert.equal(first.isClosed, true);
  assert.equal(second.isClosed, false);
  assert.equal(closed(), 1);
});

Deno.test("a client whose connection was closed for others may leave an eighth of what others may, for a minute", () => {
  const { clock, untaken } = answers(64);
  const one = sent("a");
  for (let i = 0; i < 16; i++) {
    untaken.admit({ ...sent("a"), socket: one.socket });
  }
  for (const client of "bcdefg") {
    for (let i = 0; i < 8; i++) untaken.admit(sent(client));
  }
  clock.now = 1000;
  assert.equal(untaken.admit(sent("h")), true);
  assert.equal(one.isClosed, true);
  const admitted = () => [1, 2, 3].map(() => untaken.admit(sent("a")));
  assert.deepEqual(admitted(), [true, true, false]);
  clock.now = 60_999;
  assert.deepEqual(admitted(), [false, false, false]);
  clock.now = 61_000;
  assert.deepEqual(admitted(), [true, true, true]);
});

Deno.test("one who has as many as any other has no connection closed for it", () => {
  const { clock, untaken } = answers(4);
  for (const client of "abcd") untaken.admit(sent(client));
  clock.now = 1001;
  assert.equal(untaken.admit(sent("a")), false);
});

Deno.test("no connection is closed for others within a second of its answer", () => {
  const { clock, untaken } = answers(8);
  const [first, second] = [sent("a"), sent("a")];
  untaken.admit(first);
  untaken.admit(second);
  for (const client of "bcdefg") untaken.admit(sent(client));
  clock.now = 999;
  assert.equal(untaken.admit(sent("h")), false);
  assert.equal(first.isClosed || second.isClosed, false);
});

Deno.test("a client that has answers to its PINGs loses its connection for others as any", () => {
  const { clock, untaken } = answers(8);
  const [first, second] = [sent("a"), sent("a")];
  untaken.admit(first);
  untaken.admit(second);
  for (const client of "bcdefg") untaken.admit(sent(client));
  clock.now = 1000;
  first.socket.sentBytes = second.socket.sentBytes = 17;
  assert.equal(untaken.admit(sent("h")), true);
  assert.equal(first.isClosed, true);
});

/** Looks every 5 s, as the service does, after `move()`, and returns when a connection is closed, ms. */
function closedAt(watched: Sent, move: (now: number) => void): number {
  const { clock, untaken } = answers(8);
  untaken.watch(watched);
  for (clock.now = 3000; !watched.isClosed; clock.now += 5000) {
    assert(clock.now < 200_000);
    move(clock.now);
    untaken.tick();
  }
  return clock.now - 5000;
}

Deno.test("a connection on which nothing moves for 30 s is closed: what it was sent with the answer is no movement", () => {
  const still = sent("a");
  const at = closedAt(still, () => {
    still.socket.sentBytes = 500; // its headers, and no more
  });
  assert.equal(at, 33_000);
});

Deno.test("a connection that moves at times is closed 30 s after it did so last", () => {
  const slow = sent("a");
  const at = closedAt(slow, (now) => {
    if (now <= 50_000) slow.socket.sentBytes = Math.floor(now / 20_000);
  });
  assert.equal(at, 73_000);
});

Deno.test("a connection is closed once, and what waited on it counts for nobody", () => {
  const { clock, untaken, closed } = answers(8);
  const one = sent("a");
  untaken.admit(one);
  untaken.admit(sent("b"));
  untaken.admit({ ...sent("a"), socket: one.socket });
  assert.equal(untaken.isFull("a"), true);
  for (clock.now = 3000; clock.now < 60_000; clock.now += 5000) untaken.tick();
  assert.equal(closed(), 2);
  assert.equal(untaken.isFull("a"), false);
  assert.equal(untaken.count, 0);
});

Deno.test("an answer that waits for two minutes costs its connection, whatever else moves on that", () => {
  const pinging = sent("a");
  const at = closedAt(pinging, () => pinging.socket.sentBytes += 17);
  assert.equal(at, 123_000);
});

Deno.test("what a connection carries that is not ours to close is watched to no end", () => {
  const { clock, untaken, closed } = answers(8);
  untaken.watch({ ...sent("a"), socket: undefined });
  clock.now = 100_000;
  untaken.tick();
  assert.equal(closed(), 0);
  assert.equal(untaken.count, 1);
});

Deno.test("where the client with most has no connection that is ours to close, one of the next is closed", () => {
  const { clock, untaken } = answers(16);
  for (let i = 0; i < 4; i++) {
    untaken.admit({ ...sent("front"), socket: undefined });
  }
  const [first, second] = [sent("a"), sent("a")];
  untaken.admit(first);
  untaken.admit(second);
  for (const client of "bcdefghijk") untaken.admit(sent(client));
  clock.now = 1000;
  assert.equal(untaken.admit(sent("l")), true);
  assert.equal(first.isClosed, true);
  assert.equal(second.isClosed, false);
});

Deno.test("answers of apps are watched, and count for nobody: their exchanges do", () => {
  const { untaken } = answers(4);
  for (let i = 0; i < 100; i++) untaken.watch(sent("a"));
  assert.equal(untaken.admit(sent("a")), true);
});
