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

Deno.test("an answer that waits for two minutes costs its connection, whatever else moves on that", () => {
  const { clock, untaken } = answers(8);
  const pinging = sent("a");
  untaken.watch(pinging);
  for (; clock.now < 120_000; clock.now += 5000) {
    pinging.socket.sentBytes += 17;
    untaken.tick();
  }
  assert.equal(pinging.isClosed, false);
  for (; clock.now <= 150_000; clock.now += 5000) {
    pinging.socket.sentBytes += 17;
    untaken.tick();
  }
  assert.equal(pinging.isClosed, true);
});

Deno.test("a connection on which nothing moves for 30 s, while something is there to be taken, is closed", () => {
  const { clock, untaken } = answers(8);
  const [still, moving] = [sent("a"), sent("a")];
  untaken.watch(still);
  untaken.watch(moving);
  clock.now = 29_999;
  untaken.tick();
  assert.equal(still.isClosed, false);
  moving.socket.sentBytes = 1;
  clock.now = 30_000;
  untaken.tick();
  assert.equal(still.isClosed, true);
  assert.equal(moving.isClosed, false);
  clock.now = 60_000;
  untaken.tick();
  assert.equal(moving.isClosed, true);
});

Deno.test("what a connection carries that is not ours to close is watched to no end", () => {
  const { clock, untaken, closed } = answers(8);
  untaken.watch({ ...sent("a"), socket: undefined });
  clock.now = 100_000;
  untaken.tick();
  assert.equal(closed(), 0);
  assert.equal(untaken.count, 1);
});

Deno.test("answers of apps are watched, and count for nobody: their exchanges do", () => {
  const { untaken } = answers(4);
  for (let i = 0; i < 100; i++) untaken.watch(sent("a"));
  assert.equal(untaken.admit(sent("a")), true);
});
