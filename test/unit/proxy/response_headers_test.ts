import assert from "node:assert/strict";
import { FEATURE_RESPONSE_HEADERS } from "../../../gen/facts.ts";
import {
  filterClearSiteData,
  filterSetCookie,
  responseHeaders,
} from "../../../src/proxy/response_headers.ts";

const BASE = "preview.example.com";

Deno.test("responseHeaders() relays the app's fields as they came, repeated ones too", () => {
  const fields: [string, string][] = [
    ["Content-Type", "text/html"],
    ["ETag", 'W/"1"'],
    ["Content-Encoding", "br"],
    ["Content-Length", "12"],
    ["X-Dup", "1"],
    ["X-Dup", "2"],
    ["Set-Cookie", "a=1; Path=/"],
    ["Set-Cookie", "b=2"],
    ["X-List", 'a,b ,"*"'],
    ["X-Names", "etag, x-dup"],
  ];
  assert.deepEqual(responseHeaders(fields, BASE), fields);
});

Deno.test("responseHeaders() drops hop-by-hop fields and those that Connection nominates", () => {
  assert.deepEqual(
    responseHeaders([
      ["Connection", "keep-alive"],
      ["Connection", "X-Hop, close"],
      ["Keep-Alive", "timeout=5"],
      ["Transfer-Encoding", "chunked"],
      ["Trailer", "X"],
      ["X-Hop", "1"],
      ["X-End", "2"],
    ], BASE),
    [["X-End", "2"]],
  );
});

Deno.test("filterClearSiteData() lets an app clear what is its own only", () => {
  for (
    const [value, kept] of [
      ['"cookies"', undefined],
      ['"cache", "cookies", "storage"', '"cache", "storage"'],
      ['"*"', '"cache", "storage", "executionContexts"'],
      ['"storage"', '"storage"'],
      ['"coo kies"', undefined],
      ['"coo\tkies", "cache"', '"cache"'],
      ['" *"', '"cache", "storage", "executionContexts"'],
    ] as const
  ) assert.equal(filterClearSiteData(value), kept, value);
  assert.deepEqual(
    responseHeaders([["Clear-Site-Data", '"cookies"'], ["X-End", "2"]], BASE),
    [["X-End", "2"]],
  );
  assert.deepEqual(
    responseHeaders([["Clear-Site-Data", '"cookies", "cache"']], BASE),
    [["Clear-Site-Data", '"cache"']],
  );
});

Deno.test("filterSetCookie() drops cookies under the gateway's names", () => {
  for (
    const line of [
      "porthole-session=x; Path=/",
      "__Host-porthole-session=x",
      " porthole-session = x",
      "__host-porthole-session=x",
      "daytona-sandbox-auth-abc=x",
      "porthole-session",
    ]
  ) assert.equal(filterSetCookie(line, BASE), undefined, line);
});

Deno.test("filterSetCookie() takes away a Domain that reaches other sandboxes, or none", () => {
  for (
    const domain of [
      "preview.example.com",
      ".preview.example.com",
      "Example.COM",
      ".com",
      " com ",
      "preview.example.com.",
      // The app's own machine: browsers would drop the cookie.
      "localhost",
      ".LocalHost",
      "127.0.0.1",
      "[::1]",
      // Letters that Chromium maps to the ones of the base domain.
      "\uff50review.example.com",
      "preview.example.\uff43om",
    ]
  ) {
    assert.equal(
      filterSetCookie(`a=1; Path=/; Domain=${domain}; Secure`, BASE),
      "a=1; Path=/; Secure",
      domain,
    );
  }
  assert.equal(
    filterSetCookie("a=1;domain=x.test;DOMAIN = com", BASE),
    "a=1;domain=x.test",
  );
});

Deno.test("filterSetCookie() leaves every other line byte for byte", () => {
  for (
    const line of [
      "a=1; Domain=3000-box.preview.example.com",
      "a=1; Domain=other.example.org",
      "a=1; Domain=xpreview.example.com",
      "a=1; Domain=localhost.example.org",
      "a=domain=example.com;  HttpOnly ;;",
      "a=1; Domain",
      "domain=preview.example.com; Path=/",
    ]
  ) assert.equal(filterSetCookie(line, BASE), line, line);
});

Deno.test("filterSetCookie() copes with an attribute of nothing but blanks", () => {
  // So long that a regular expression with quadratic backtracking would not finish.
  const line = `a=1; domain=x${" ".repeat(500_000)}y; Domain=com`;
  assert.equal(
    filterSetCookie(line, BASE),
    line.slice(0, -"; Domain=com".length),
  );
});

Deno.test("responseHeaders() keeps our own field to our own answers", () => {
  assert.deepEqual(responseHeaders([["X-Porthole-Error", "x"]], BASE), []);
});

Deno.test("responseHeaders() passes no field by which an app would hear of other requests' addresses", () => {
  const names = responseHeaders([
    ["NEL", '{"report_to":"x","max_age":1000,"success_fraction":1}'],
    ["X-Porthole-Error", "internal"],
    ...FEATURE_RESPONSE_HEADERS.map((name): [string, string] => [name, "1"]),
    ["Report-To", "{}"],
  ], "proxy.localhost").map(([name]) => name);
  assert.deepEqual(names, ["Report-To"]);
});

Deno.test("S14: responseHeaders() passes no field that a front would obey, and no other origin for the host", () => {
  const dropped = [
    "X-Accel-Redirect",
    "X-Accel-Expires",
    "X-Accel-Limit-Rate",
    "x-sendfile",
    "X-Sendfile2",
    "X-LIGHTTPD-send-file",
    "X-LiteSpeed-Location",
    "X-LiteSpeed-Cache-Control",
    "X-Reproxy-URL",
    "X-Accelerator-Vary",
    "Alt-Svc",
  ].map((name): [string, string] => [name, "/secret"]);
  const kept: [string, string][] = [
    ["X-Accelerated", "1"],
    ["X-Send", "1"],
    ["X-Accel-Buffering", "no"], // by which an app asks that its events are passed on at once
  ];
  assert.deepEqual(responseHeaders([...dropped, ...kept], BASE), kept);
  assert.deepEqual(responseHeaders([["X-Accel-Buffering", "yes"]], BASE), []);
});

Deno.test("responseHeaders() passes no header that steers a cache, in any case and number", () => {
  const dropped = [
    "CDN-Cache-Control",
    "cdn-cache-control",
    "Cloudflare-CDN-Cache-Control",
    "VERCEL-CDN-CACHE-CONTROL",
    "Anybodys-Cache-Control",
    "Surrogate-Control",
    "Surrogate-Key",
    "Cache-Tag",
    "Vercel-Cache-Tag",
    "Edge-Cache-Tag",
    "X-Cache-Tags",
    "CDN-Tag",
    "Deno-Cache-Id",
    "Deno-Cache-Tag",
    "deno-vary",
    "Netlify-Vary",
    "Netlify-Cache-ID",
    "Edge-Control",
    "CF-Edge-Cache",
    "xkey",
  ].map((name): [string, string] => [name, "max-age=600"]);
  const kept: [string, string][] = [
    ["Cache-Control", "max-age=600"],
    ["Vary", "Accept"],
    ["Age", "1"],
    ["Cache-Status", "the app's own; hit"], // tells, and steers nothing
    ["X-Edge", "1"],
    ["No-Vary-Search", "params"], // for browsers too
  ];
  assert.deepEqual(
    responseHeaders([...dropped, ...dropped, ...kept], BASE),
    kept,
  );
});
