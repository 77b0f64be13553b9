import assert from "node:assert/strict";
import { constants } from "node:http2";
import { wasCancelled } from "../../../src/platform/http2_body.ts";
import { connectHttp2, serve, stillNeeded } from "./canary.ts";

/** The part that the handler reads of an HTTP/2 upload that ends in this way after "half". */
async function upload(code: number | undefined): Promise<{
  readonly text: string | undefined;
  readonly isCancelled: boolean;
}> {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string | undefined>();
  const judged = Promise.withResolvers<boolean>();
  await using server = serve(async (request) => {
    void request.signal;
    let text = "";
    try {
      for await (const chunk of request.body ?? []) {
        text += new TextDecoder().decode(chunk);
        started.resolve();
      }
      ended.resolve(text);
    } catch {
      ended.resolve(undefined);
    }
    judged.resolve(await wasCancelled(request.signal));
    return new Response();
  });
  await using client = await connectHttp2(server);
  const stream = client.session.request({ ":path": "/", ":method": "POST" });
  stream.on("error", () => {});
  stream.write("half");
  await started.promise;
  if (code === undefined) stream.end();
  else stream.close(code);
  return { text: await ended.promise, isCancelled: await judged.promise };
}

Deno.test("wasCancelled() tells an HTTP/2 body that was cancelled from one that is complete", async () => {
  assert.deepEqual(await upload(undefined), {
    text: "half",
    isCancelled: false,
  });
  for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR]) {
    assert.equal((await upload(code)).isCancelled, true);
  }
});

Deno.test("canary: an HTTP/2 body that the client cancels ends as if it were complete", async () => {
  for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR]) {
    stillNeeded((await upload(code)).text === "half", {
      mended: "the end of HTTP/2 bodies that the client cancels",
      remove: "src/platform/http2_body.ts",
    });
  }
});
