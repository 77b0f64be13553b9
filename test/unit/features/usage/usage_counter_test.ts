import assert from "node:assert/strict";
import {
  HOUR_MS,
  UsageCounter,
} from "../../../../src/features/usage/usage_counter.ts";

/** An exchange of 10 bytes to and 100 from the sandbox, which was answered at 1000 and ended then, or later. */
const EXCHANGE = {
  sandboxId: "box",
  receivedBytes: 10,
  sentBytes: 100,
  tunnel: undefined,
  answeredAt: 1000,
  endedAt: 1000,
};

const TUNNEL = {
  by: "client",
  code: 1000,
  messagesSent: 1,
  bytesSent: 5,
  messagesReceived: 2,
  bytesReceived: 7,
} as const;

Deno.test("exchanges are counted by sandbox and by the hour in which they end, and nobody's are not", () => {
  const counter = new UsageCounter();
  counter.record(EXCHANGE);
  counter.record({ ...EXCHANGE, organizationId: "acme" });
  counter.record({ ...EXCHANGE, sandboxId: undefined });
  counter.record({ ...EXCHANGE, sandboxId: "other", endedAt: HOUR_MS });
  const rows = [...counter.rows()].map((
    { sandboxId, organizationId, hour, requests, receivedBytes, sentBytes },
  ) => [sandboxId, organizationId, hour, requests, receivedBytes, sentBytes]);
  assert.deepEqual(rows, [
    ["box", "acme", 0, 2, 20, 200],
    ["other", undefined, HOUR_MS, 1, 10, 100],
  ]);
});

Deno.test("a WebSocket counts with its messages and the seconds for which it was open", () => {
  const counter = new UsageCounter();
  const ends = { tunnel: TUNNEL, receivedBytes: 0, sentBytes: 0 };
  counter.record({ ...EXCHANGE, ...ends, endedAt: 3500 });
  const [row = assert.fail("no row")] = counter.rows();
  const { receivedBytes, sentBytes, webSocketSec } = row;
  assert.deepEqual([receivedBytes, sentBytes, webSocketSec], [5, 7, 2.5]);
});

Deno.test("what is stored is forgotten after its time, and what is not stays", () => {
  const counter = new UsageCounter();
  counter.record(EXCHANGE);
  counter.record({ ...EXCHANGE, sandboxId: "other" });
  const [first = assert.fail("no row")] = counter.rows();
  first.isNew = false;
  counter.forgetBefore(0);
  assert.equal([...counter.rows()].length, 2);
  counter.forgetBefore(HOUR_MS);
  assert.deepEqual([...counter.rows()].map((row) => row.sandboxId), ["other"]);
});
