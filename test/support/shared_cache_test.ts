import assert from "node:assert/strict";
import { directivesOf, mayStore } from "./shared_cache.ts";

function stored(
  fields: Record<string, string>,
  { status = 200, authorization }: {
    readonly status?: number;
    readonly authorization?: string;
  } = {},
): boolean {
  const request = {
    headers: new Headers(authorization ? { authorization } : {}),
  };
  return mayStore(request, { status, headers: new Headers(fields) });
}

Deno.test("mayStore() stores all that RFC 9111 section 3 lets a shared cache store", () => {
  for (
    const [cacheControl, expected] of [
      ["max-age=60", true],
      ['private="set-cookie"', true],
      ["no-cache", true],
      ["no-store, must-understand", true],
      ["private, max-age=60", false],
      ["PRIVATE", false],
      ["no-store", false],
    ] as const
  ) assert.equal(stored({ "cache-control": cacheControl }), expected);
  for (
    const [status, expected] of [
      [200, true],
      [206, true],
      [301, true],
      [
        404,
        true,
      ],
      [302, false],
      [304, false],
      [500, false],
    ] as const
  ) assert.equal(stored({}, { status }), expected, String(status));
  assert(stored({ expires: "0" }, { status: 302 }));
  assert(stored({ "cache-control": "s-maxage=1" }, { status: 500 }));
});

Deno.test("mayStore() stores the response to a request with Authorization if that says so only (RFC 9111 section 3.5)", () => {
  const authorization = "Bearer x";
  for (
    const [cacheControl, expected] of [
      ["max-age=60", false],
      ["max-age=60, must-revalidate", true],
      ["public", true],
      ["s-maxage=60", true],
      ["s-maxage=60, private", false],
    ] as const
  ) {
    const fields = { "cache-control": cacheControl };
    assert.equal(stored(fields, { authorization }), expected, cacheControl);
  }
});

Deno.test("directivesOf() reads quoted arguments", () => {
  const headers = new Headers({
    "cache-control": 'X="a, \\"b", MAX-AGE="60",no-cache',
  });
  assert.deepEqual([...directivesOf(headers)], [
    ["x", 'a, \\"b'],
    ["max-age", "60"],
    ["no-cache", ""],
  ]);
});
