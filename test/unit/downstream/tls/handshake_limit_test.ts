import assert from "node:assert/strict";
import { HandshakeLimit } from "../../../../src/downstream/tls/handshake_limit.ts";

/** Begins handshakes by these ports in turn; returns the ports of those that were dropped. */
function beginAll(
  handshakes: HandshakeLimit,
  ports: readonly number[],
): number[] {
  const dropped: number[] = [];
  for (const remotePort of ports) {
    handshakes.begin({
      remoteAddress: "192.0.2.1",
      remotePort,
      destroy: () => void dropped.push(remotePort),
    });
  }
  return dropped;
}

Deno.test("S2: of too many unfinished handshakes, the oldest are dropped", () => {
  assert.deepEqual(beginAll(new HandshakeLimit(2), [1, 2, 3, 4]), [1, 2]);
});

Deno.test("finished handshakes count no more, and their connections stay", () => {
  const handshakes = new HandshakeLimit(2);
  beginAll(handshakes, [1, 2]);
  handshakes.end({ remoteAddress: "192.0.2.1", remotePort: 1 });
  assert.deepEqual(beginAll(handshakes, [3]), []);
  assert.deepEqual(beginAll(handshakes, [4]), []);
});

Deno.test("a connection from the port of an earlier one takes its place", () => {
  assert.deepEqual(beginAll(new HandshakeLimit(2), [1, 2, 1, 3]), [2]);
});

Deno.test("dropAll() drops those that are unfinished", () => {
  const handshakes = new HandshakeLimit(9);
  const dropped: number[] = [];
  for (const remotePort of [1, 2, 3]) {
    handshakes.begin({ remotePort, destroy: () => dropped.push(remotePort) });
  }
  handshakes.end({ remotePort: 2 });
  handshakes.dropAll();
  assert.deepEqual(dropped, [1, 3]);
});
