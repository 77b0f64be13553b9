import assert from "node:assert/strict";
import { ClientStall } from "../../../src/proxy/client_stall.ts";

const { OPEN, CLOSING } = WebSocket;

Deno.test("ClientStall is too long once a client has taken nothing for a minute of what waits for it", () => {
  const client: { readyState: number } = { readyState: OPEN };
  const queue = { takenBytes: 0, isWaiting: true };
  const stall = new ClientStall(client, queue);
  assert.equal(stall.isTooLong(30_000), false);
  queue.takenBytes += 1;
  assert.equal(stall.isTooLong(30_000), false, "it has taken some");
  assert.equal(stall.isTooLong(30_000), false);
  assert.equal(stall.isTooLong(30_000), true);
  queue.isWaiting = false;
  assert.equal(stall.isTooLong(30_000), false, "nothing waits for it");
  client.readyState = CLOSING;
  assert.equal(stall.isTooLong(30_000), false);
  assert.equal(stall.isTooLong(30_000), true, "it does not close either");
});
