import assert from "node:assert/strict";
import {
  appTags,
  codedHeaders,
  isStatic,
  validatedHeaders,
  withVary,
} from "../../../../src/features/compress/static_response.ts";
import type { HeaderList } from "../../../../src/http/headers.ts";

function isStaticWith(
  headers: Readonly<Record<string, string>>,
  status = 200,
): boolean {
  const all = { "Content-Type": "text/javascript", ...headers };
  return isStatic({ status, headers: Object.entries(all), body: null });
}

Deno.test("scripts, styles, SVG, JSON and Wasm are static from 1 KiB on, or if nobody knows their length", () => {
  for (
    const type of [
      "text/javascript",
      "text/css; charset=utf-8",
      "Application/JavaScript",
      "application/x-javascript",
      "application/json",
      "application/manifest+json",
      "application/wasm",
      "image/svg+xml",
    ]
  ) assert(isStaticWith({ "Content-Type": type }), type);
  assert(isStaticWith({ "Content-Length": "1024" }));
  assert(isStaticWith({ "Vary": "Origin", "Cache-Control": "no-cache" }));
});

Deno.test("pages, streams, what is short, coded or a part, and what a cookie decides over is not static", () => {
  for (
    const headers of [
      { "Content-Type": "text/html" },
      { "Content-Type": "text/plain" },
      { "Content-Type": "text/event-stream" },
      { "Content-Type": "application/x-ndjson" },
      { "Content-Type": "application/json-seq" },
      { "Content-Type": "application/stream+json" },
      { "Content-Type": "text/javascript, text/html" },
      { "Content-Type": "image/png" },
      { "Content-Length": "1023" },
      { "Content-Encoding": "br" },
      { "Content-Encoding": "identity" },
      { "Content-Range": "bytes 0-1/2" },
      { "Set-Cookie": "a=b" },
      { "Cache-Control": "public, No-Transform" },
      { "Vary": "Origin, Cookie" },
      { "Vary": "authorization" },
      { "Vary": "*" },
    ]
  ) assert(!isStaticWith(headers), JSON.stringify(headers));
  for (const status of [201, 206, 304, 404, 500]) {
    assert(!isStaticWith({}, status), `${status}`);
  }
});

Deno.test("coded content has a weak tag, and loses what is true of the app's bytes only", () => {
  const headers: HeaderList = [
    ["Content-Type", "text/css"],
    ["Content-Length", "5000"],
    ["ETag", '"a"'],
    ["Accept-Ranges", "bytes"],
    ["Content-MD5", "x"],
    ["Digest", "x"],
    ["Repr-Digest", "x"],
    ["Content-Digest", "x"],
    ["Vary", "Origin"],
  ];
  assert.deepEqual(codedHeaders(headers), [
    ["Content-Type", "text/css"],
    ["ETag", 'W/"a~coded"'],
    ["Vary", "Origin"],
    ["vary", "Accept-Encoding"],
  ]);
  for (const tag of ['W/"a"', "unquoted"]) {
    const [kept] = codedHeaders([["etag", tag]]);
    assert.deepEqual(kept, ["etag", tag]);
  }
});

Deno.test("Vary names Accept-Encoding once", () => {
  for (const value of ["Origin, accept-encoding", "*"]) {
    const headers: HeaderList = [["vary", value]];
    assert.equal(withVary(headers), headers);
  }
});

Deno.test("the app gets its own tags: the strong one of what was coded, and others as they came", () => {
  for (
    const [sent, received] of [
      ['W/"a~coded"', '"a"'],
      ['"b~coded", W/"a~coded",W/"c"', '"b~coded", "a",W/"c"'],
      ['W/"x", "a~coded"', 'W/"x", "a~coded"'],
      ['W/"a"', 'W/"a"'],
      ["*", "*"],
    ] as const
  ) assert.equal(appTags(sent), received);
});

Deno.test("a 304 for what was coded has its tag, and one for anything else is the app's", () => {
  const headers: HeaderList = [["etag", '"a"'], ["content-length", "5000"]];
  assert.deepEqual(validatedHeaders(headers, 'W/"b", W/"a~coded"'), [
    ["etag", 'W/"a~coded"'],
    ["vary", "Accept-Encoding"],
  ]);
  for (const asked of ['"a"', 'W/"a"', 'W/"b~coded"', null]) {
    assert.equal(validatedHeaders(headers, asked), headers);
  }
  const weak: HeaderList = [["etag", 'W/"a"']];
  assert.equal(validatedHeaders(weak, 'W/"a"'), weak);
});
