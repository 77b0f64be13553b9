import assert from "node:assert/strict";
import {
  forSharedCaches,
  privateCacheControl,
} from "../../../src/proxy/shared_caches.ts";

Deno.test("privateCacheControl() takes away what lets shared caches store, and leaves what browsers go by", () => {
  for (
    const [value, expected] of [
      ["", "private"],
      ["public", "private"],
      [
        "public, max-age=31536000, immutable",
        "private, max-age=31536000, immutable",
      ],
      ["max-age=60,s-maxage=9,proxy-revalidate", "private, max-age=60"],
      ["private, max-age=60", "private, max-age=60"],
      ["PUBLIC ,\tMax-Age=60 , S-MaxAge=9", "private, Max-Age=60"],
      ["no-cache, must-revalidate", "private, no-cache, must-revalidate"],
      [", ,max-age=1,,", "private, max-age=1"],
      ['max-age="60", s-maxage="9"', 'private, max-age="60"'],
      [
        "max-age=1, stale-while-revalidate=2, stale-if-error=3, no-transform",
        "private, max-age=1, stale-while-revalidate=2, stale-if-error=3, no-transform",
      ],
    ] as const
  ) assert.equal(privateCacheControl(value), expected, value);
});

Deno.test("privateCacheControl() takes private for nothing less than the whole response", () => {
  for (
    const value of [
      'private="set-cookie"',
      'private="set-cookie", private',
      "private=x",
      'Private="a, b", public',
    ]
  ) assert.equal(privateCacheControl(value), "private", value);
});

Deno.test("privateCacheControl() adds nothing to an app's no-store, unless caches may ignore that", () => {
  for (
    const [value, expected] of [
      ["no-store", "no-store"],
      ["No-Store, max-age=0", "No-Store, max-age=0"],
      ["no-store, public, s-maxage=9", "no-store"],
      ["must-understand, no-store, max-age=60", "no-store, max-age=60"],
      // No directive that anybody knows.
      ["no-store=1", "private, no-store=1"],
      ['x="no-store"', 'private, x="no-store"'],
    ] as const
  ) assert.equal(privateCacheControl(value), expected, value);
});

Deno.test("privateCacheControl() reads quoted strings, and leaves out what is no directive", () => {
  for (
    const [value, expected] of [
      [
        'x="public, s-maxage=9", max-age=1',
        'private, x="public, s-maxage=9", max-age=1',
      ],
      ['x="\\", s-maxage=9", public', 'private, x="\\", s-maxage=9"'],
      // Unterminated: what would be within the string for one cache would not be for another.
      ['x="a, s-maxage=9, max-age=1', "private, max-age=1"],
      ['max-age=1, x="\\', "private, max-age=1"],
      ["max-age=60; public", "private"],
      ["max-age = 60, immutable", "private, immutable"],
      ["no-store, max-age = 60", "no-store"],
      ["private max-age=60", "private"],
      ['x="a"b, max-age=1', "private, max-age=1"],
      ["=1, max-age=1", "private, max-age=1"],
      ["s-maxage=, max-age=1", "private, max-age=1"],
      ["caf\xe9, max-age=1", "private, max-age=1"],
      ["s-maxage=9\x0b, max-age=1", "private, max-age=1"],
      [`max-age=1${",".repeat(64_000)}`, "private"],
    ] as const
  ) assert.equal(privateCacheControl(value), expected, value);
});

Deno.test("forSharedCaches() joins repeated lines in any case, and says private where the app says nothing", () => {
  const etag: [string, string] = ["ETag", '"1"'];
  const response = { status: 200, isPublic: false, edgeCache: "off" } as const;
  assert.deepEqual(
    forSharedCaches([
      ["CACHE-CONTROL", "public"],
      etag,
      ["cache-Control", "s-maxage=9, max-age=1"],
      ["Expires", "0"],
      ["Pragma", "no-cache"],
    ], response),
    [
      etag,
      ["Expires", "0"],
      ["Pragma", "no-cache"],
      ["cache-control", "private, max-age=1"],
    ],
  );
  assert.deepEqual(forSharedCaches([etag], response), [
    etag,
    ["cache-control", "private"],
  ]);
});

Deno.test("forSharedCaches() adds nothing to a 304 that says nothing, as it would replace what the browser has stored", () => {
  const etag: [string, string] = ["ETag", '"1"'];
  const response = { status: 304, isPublic: false, edgeCache: "off" } as const;
  assert.deepEqual(forSharedCaches([etag], response), [etag]);
  assert.deepEqual(
    forSharedCaches([["Cache-Control", "public, max-age=1"]], response),
    [["cache-control", "private, max-age=1"]],
  );
  // By which a cache may store the 304 itself.
  const expires: [string, string] = ["Expires", "0"];
  assert.deepEqual(forSharedCaches([expires], response), [
    expires,
    ["cache-control", "private"],
  ]);
});

Deno.test("forSharedCaches() says of public previews in CDNs' own words that they are not to be stored", () => {
  assert.deepEqual(
    forSharedCaches([], { status: 200, isPublic: true, edgeCache: "off" }),
    [
      ["cache-control", "private"],
      ["cdn-cache-control", "no-store"],
      ["deno-cdn-cache-control", "no-store"],
    ],
  );
});

Deno.test("forSharedCaches() leaves what is public to the app with EDGE_CACHE=public, and nothing else", () => {
  const edgeCache = "public";
  const said: [string, string][] = [["Cache-Control", "public, s-maxage=9"]];
  for (const status of [200, 304]) {
    const response = { status, isPublic: true, edgeCache } as const;
    assert.deepEqual(forSharedCaches(said, response), said);
    assert.deepEqual(forSharedCaches([], response), []);
    const isPublic = false;
    assert.deepEqual(forSharedCaches(said, { status, isPublic, edgeCache }), [
      ["cache-control", "private"],
    ]);
    // It ends what a cache has stored while the sandbox was public.
    assert.deepEqual(forSharedCaches([], { status, isPublic, edgeCache }), [
      ["cache-control", status === 304 ? "private, no-cache" : "private"],
    ]);
  }
});
