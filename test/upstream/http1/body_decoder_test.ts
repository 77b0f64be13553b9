import assert from "node:assert/strict";
import {
  CloseDecoder,
  LengthDecoder,
} from "../../../src/upstream/http1/body_decoder.ts";
import { ChunkedDecoder } from "../../../src/upstream/http1/chunked_decoder.ts";
import { bodyDecoder } from "../../../src/upstream/http1/receive_body.ts";
import type { ResponseHead } from "../../../src/upstream/http1/response_head.ts";
import { fromLatin1, toLatin1 } from "../../support/latin1.ts";

function headOf(parts: Partial<ResponseHead>): ResponseHead {
  return {
    status: 200,
    headers: [],
    contentLength: null,
    chunked: false,
    keepAlive: true,
    ...parts,
  };
}

function decoderOf(parts: Partial<ResponseHead>, method = "GET"): unknown {
  return bodyDecoder(headOf(parts), {
    method,
    limits: { maxHeadBytes: 1, maxHeaderCount: 1 },
  });
}

Deno.test("bodyDecoder() goes by the framing fields", () => {
  assert.ok(decoderOf({ contentLength: 5 }) instanceof LengthDecoder);
  assert.ok(decoderOf({ chunked: true }) instanceof ChunkedDecoder);
  assert.ok(decoderOf({}) instanceof CloseDecoder);
  assert.equal(decoderOf({ contentLength: 0 }), null);
});

Deno.test("bodyDecoder() finds no body in answers to HEAD, 204 and 304, whatever the fields say", () => {
  for (const framing of [{ contentLength: 5 }, { chunked: true }, {}]) {
    assert.equal(decoderOf(framing, "HEAD"), null);
    assert.equal(decoderOf({ status: 204, ...framing }), null);
    assert.equal(decoderOf({ status: 304, ...framing }), null);
  }
});

Deno.test("LengthDecoder takes the announced bytes and no more", () => {
  const decoder = new LengthDecoder(5);
  const content: Uint8Array<ArrayBuffer>[] = [];
  assert.equal(decoder.decode(fromLatin1("abc"), content), 3);
  assert.equal(decoder.done, false);
  assert.equal(decoder.decode(fromLatin1(""), content), 0);
  assert.equal(decoder.decode(fromLatin1("defg"), content), 2);
  assert.equal(decoder.done, true);
  assert.deepEqual(content.map(toLatin1), ["abc", "de"]);
});

Deno.test("CloseDecoder takes everything and is never done", () => {
  const decoder = new CloseDecoder();
  const content: Uint8Array<ArrayBuffer>[] = [];
  assert.equal(decoder.decode(fromLatin1("abc"), content), 3);
  assert.deepEqual(content.map(toLatin1), ["abc"]);
  assert.equal(decoder.done, false);
  assert.equal(decoder.endsAtClose, true);
});
