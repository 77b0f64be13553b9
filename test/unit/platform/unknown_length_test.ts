import assert from "node:assert/strict";
import { UNKNOWN_LENGTH } from "../../../src/platform/unknown_length.ts";
import { serve, stillNeeded } from "./canary.ts";

const CONTENT_LENGTH = /\r\ncontent-length:/i;

Deno.test("a HEAD that is answered with UNKNOWN_LENGTH gets no Content-Length", async () => {
  await using server = serve(() =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          assert.equal(await UNKNOWN_LENGTH.read(), null);
          controller.close();
        },
      }, { highWaterMark: 0 }),
    )
  );
  assert.doesNotMatch(await server.ask("HEAD"), CONTENT_LENGTH);
});

Deno.test("canary: a HEAD that is answered with a null body gets Content-Length: 0", async () => {
  await using server = serve(() => new Response(null));
  stillNeeded(CONTENT_LENGTH.test(await server.ask("HEAD")), {
    mended: "the Content-Length of responses to HEAD",
    remove: "src/platform/unknown_length.ts",
  });
});
