import assert from "node:assert/strict";
import { HandshakeLimit } from "../../../../src/downstream/tls/handshake_limit.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

/** Handshakes by number, and which of them were dropped. */
function createHandshakes(max: number) {
  const handshakes = new HandshakeLimit(max);
  const ends = new Map<number, () => void>();
  const dropped: number[] = [];
  return {
    dropped,
    begin(...numbers: readonly number[]): void {
      for (const number of numbers) {
        const drop = () => void dropped.push(number);
        ends.set(number, handshakes.begin(clientOf(number), drop));
      }
    },
    end: (number: number) => ends.get(number)?.(),
    dropAll: () => handshakes.dropAll(),
  };
}

/** Numbers from 10 on are another client's. */
function clientOf(number: number): string {
  return number < 10 ? "one" : "another";
}

Deno.test("S2: of too many unfinished handshakes, the oldest are dropped", () => {
  const handshakes = createHandshakes(2);
  handshakes.begin(1, 2, 3, 4);
  assert.deepEqual(handshakes.dropped, [1, 2]);
  handshakes.dropAll();
});

Deno.test("who has most unfinished handshakes has one dropped for another client's", () => {
  const handshakes = createHandshakes(3);
  handshakes.begin(10, 1, 2, 3);
  assert.deepEqual(handshakes.dropped, [1]);
  handshakes.dropAll();
});

Deno.test("finished handshakes count no more, and their connections stay", () => {
  const handshakes = createHandshakes(2);
  handshakes.begin(1, 2);
  handshakes.end(1);
  handshakes.begin(3);
  assert.deepEqual(handshakes.dropped, []);
  handshakes.dropAll();
});

Deno.test("a handshake that takes longer than 10 s is dropped, and one that has ended is not", () => {
  using clock = fakeClock();
  const handshakes = createHandshakes(2);
  handshakes.begin(1, 2);
  handshakes.end(1);
  clock.pass(9_999);
  assert.deepEqual(handshakes.dropped, []);
  clock.pass(1);
  assert.deepEqual(handshakes.dropped, [2]);
});

Deno.test("dropAll() drops those that are unfinished", () => {
  const handshakes = createHandshakes(9);
  handshakes.begin(1, 2, 3);
  handshakes.end(2);
  handshakes.dropAll();
  assert.deepEqual(handshakes.dropped, [1, 3]);
});
