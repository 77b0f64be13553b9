import assert from "node:assert/strict";
import { accessSignal } from "../../../src/platform/early_signal.ts";
import { connectHttp2, serve, stillNeeded } from "./canary.ts";

/** True if a request's signal is aborted after its client has cancelled it over HTTP/2. */
async function noticesCancellation(
  onRequest: (request: Request) => void,
): Promise<boolean> {
  const asked = Promise.withResolvers<Request>();
  const answer = Promise.withResolvers<Response>();
  await using server = serve((request) => {
    if (request.url.endsWith("/settle")) return new Response();
    onRequest(request);
    asked.resolve(request);
    return answer.promise;
  });
  await using client = await connectHttp2(server);
  const stream = client.session.request({ ":path": "/" });
  stream.on("error", () => {});
  const request = await asked.promise;
  stream.close(8);
  for (let turn = 0; turn < 3; turn++) await client.settle();
  const isAborted = request.signal.aborted;
  answer.resolve(new Response());
  await client.settle();
  return isAborted || request.signal.aborted;
}

Deno.test("a request whose signal was accessed early notices that its HTTP/2 client has cancelled it", async () => {
  assert.equal(await noticesCancellation(accessSignal), true);
});

Deno.test("canary: over HTTP/2, a signal misses what happened before its first access", async () => {
  stillNeeded(!await noticesCancellation(() => {}), {
    mended: "signals that are accessed late",
    remove: "src/platform/early_signal.ts",
  });
});
