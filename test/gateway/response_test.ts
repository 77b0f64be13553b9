import assert from "node:assert/strict";
import { clientBody, clientHeaders } from "../../src/gateway/response.ts";
import type { BodyReader } from "../../src/upstream/http1/body_reader.ts";
import { readerOf } from "../support/upstream.ts";

/** A body, and whether it was cancelled. */
function trackedBody() {
  const state = { isCancelled: false };
  const body: BodyReader = {
    read: () => new Promise(() => {}),
    cancel() {
      state.isCancelled = true;
    },
  };
  return { state, body };
}

Deno.test("clientBody() discards the body of a response that has none by its status, for HEAD as well", () => {
  for (const status of [204, 205, 304]) {
    for (const method of ["GET", "HEAD"]) {
      assert.equal(
        clientBody(method, { status, headers: [], body: null }),
        null,
      );
      const { state, body } = trackedBody();
      assert.equal(clientBody(method, { status, headers: [], body }), null);
      assert(state.isCancelled);
    }
  }
});

Deno.test("clientBody() announces no length for a HEAD that the app announced none for", async () => {
  const headers: [string, string][] = [["Content-Length", "5"]];
  const head = { status: 200, headers, body: null };
  assert.equal(clientBody("HEAD", head), null);
  const body = clientBody("HEAD", { ...head, headers: [] });
  assert.equal(await readerOf(body).read(), null);
  assert.equal(clientBody("GET", { ...head, headers: [] }), null);
});

Deno.test("clientHeaders() takes the length of a 205 away, and no other header or length", () => {
  const headers: [string, string][] = [["Content-Length", "5"], ["ETag", "1"]];
  assert.deepEqual(clientHeaders(205, headers), [
    ["ETag", "1"],
  ]);
  for (const status of [200, 304]) {
    assert.deepEqual(clientHeaders(status, headers), headers);
  }
});
