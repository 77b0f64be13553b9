import assert from "node:assert/strict";
import {
  startThread,
  type Thread,
} from "../../../../src/server/workers/worker_thread.ts";
import { configOf } from "../../../support/config.ts";

/** Starts a thread of that code. */
function start(code: string): Thread {
  const entry = `data:text/javascript,${encodeURIComponent(code)}`;
  return startThread(entry, {
    number: 7,
    version: "1.2.3",
    config: configOf(),
  });
}

Deno.test("startThread() sends the thread its start message and a port", async () => {
  const thread = start(`addEventListener("message", ({ data }) => {
    const { start, port } = data;
    port.onmessage = ({ data }) => port.postMessage([start.number, start.config.workers, data]);
  })`);
  const answer = new Promise((resolve) =>
    thread.port.onmessage = ({ data }) => resolve(data)
  );
  thread.port.postMessage("hello");
  assert.deepEqual(await answer, [7, 1, "hello"]);
  thread.terminate();
});

Deno.test("an error that ends a thread rejects `failed` and does not end this thread", async () => {
  const thread = start(`addEventListener("message", () => {
    throw new Error("Out of luck");
  })`);
  await assert.rejects(thread.failed, /Out of luck/);
  thread.terminate();
});
