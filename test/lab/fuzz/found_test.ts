/** Regressions: inputs by which fuzzing found a bug. */
import ipaddr from "ipaddr.js";
import assert from "node:assert/strict";
import {
  cookiesByName,
  cookieValues,
  withoutOwnCookies,
} from "../../../src/http/cookies.ts";
import { baseUrl, previewDomain } from "../../../src/config/formats.ts";
import { readSettings } from "../../../src/config/read_settings.ts";
import { runnerAnswer } from "../../../src/daytona/models.ts";
import { withoutTrailingSlashes } from "../../../src/http/url.ts";
import { buildLogQuery } from "../../../src/features/build_logs/build_log.ts";
import { withCors } from "../../../src/proxy/cors.ts";
import { clientOf } from "../../../src/downstream/http/forwarded.ts";
import { filterSetCookie } from "../../../src/proxy/response_headers.ts";

const BASE = "preview.example.com";

Deno.test("a no-break space in front of __Host- does not make a cookie ours, which the prefix then would not protect", () => {
  const field = "\xa0__Host-porthole-session=planted; a=b";
  assert.deepEqual(cookieValues(field, "__Host-porthole-session"), []);
  assert.equal(cookiesByName(field, "__Host-").size, 0);
  assert.equal(withoutOwnCookies(field), field);
  assert.deepEqual(
    cookieValues(
      "a=b;\t __Host-porthole-session \t=real",
      "__Host-porthole-session",
    ),
    ["real"],
  );
});

Deno.test("a Domain with a letter that a browser maps to the base domain's is dropped", () => {
  const fullWidthP = "\xef\xbd\x90"; // U+FF50 in UTF-8, as Chromium takes it
  for (
    const domain of [
      `${fullWidthP}review.example.com`,
      "%70review.example.com",
      "example.com:80",
    ]
  ) {
    assert.equal(
      filterSetCookie(`a=b; Domain=${domain}; Path=/`, BASE),
      "a=b; Path=/",
    );
  }
});

Deno.test("a Domain with a final dot, which is the base of hosts with one, is dropped", () => {
  for (const domain of ["preview.example.com.", ".example.com.", "com."]) {
    assert.equal(filterSetCookie(`a=b; Domain=${domain}`, BASE), "a=b");
  }
});

Deno.test("a cookie without a name, whose value is sent back like one of ours, is dropped", () => {
  for (
    const pair of [
      "=__Host-porthole-session=x",
      " = porthole-session=x",
      "=daytona-preview-page-accepted",
    ]
  ) {
    assert.equal(filterSetCookie(pair, BASE), undefined, pair);
  }
  assert.equal(filterSetCookie("=theirs=x", BASE), "=theirs=x");
});

Deno.test("a Vary whose asterisk follows a no-break space gets our Origin as well", () => {
  const decision = {
    kind: "on",
    overrides: false,
    origin: null,
    credentials: false,
  } as const;
  assert.deepEqual(withCors([["vary", "\xa0*"]], decision), [
    ["vary", "\xa0*"],
    ["vary", "Origin"],
  ]);
});

Deno.test("an image's name with half of a surrogate pair does not keep the build log from being asked for", () => {
  assert.equal(buildLogQuery("", "a\ud800"), "?snapshotRef=a%EF%BF%BD");
});

Deno.test("a password with a slash, or without a scheme before it, is not shown where a setting is refused", () => {
  for (
    const [given, shown] of [
      ["redis://user:hun/ter2@cache:6379", "redis://***@cache:6379"],
      ["user:hunter2@cache:6379", "***@cache:6379"],
      ["redis:/user:hunter2@cache", "***@cache"],
      ["redis://user:hun\nter2@cache", "redis://***@cache"],
      ["ftp://cache:6379", "ftp://cache:6379"],
    ]
  ) {
    const table = { URL: { group: "g", purpose: "p", format: baseUrl } };
    const result = readSettings(table, { URL: given });
    assert.equal(
      result.ok ? "" : result.problems[0]?.given,
      JSON.stringify(shown),
    );
  }
});

Deno.test("a base domain that no URL can have is refused", () => {
  assert.equal(previewDomain.schema.safeParse("xn--3600").success, false);
  assert.equal(
    previewDomain.schema.safeParse("xn--bcher-kva.example").success,
    true,
  );
});

Deno.test("a chain of thousands of hops costs as much as one of 32, and ends in the same", () => {
  const trusted = [ipaddr.parseCIDR("10.0.0.0/8")];
  const nearest = Array.from({ length: 32 }, (_, index) => `192.0.2.${index}`);
  const headers = new Headers({
    "x-forwarded-for": `${"x,".repeat(30_000)}${nearest.join(",")}`,
  });
  const { clientAddress, forwarded } = clientOf("10.0.0.1", headers, {
    authority: BASE,
    scheme: "https",
    trusted,
  });
  assert.equal(clientAddress, "192.0.2.31");
  assert.equal(forwarded.for, [...nearest, "10.0.0.1"].join(", "));
});

Deno.test("a run of slashes in the middle of a URL is not tried slash by slash", () => {
  const slashes = "/".repeat(300_000); // in quadratic time: minutes
  assert.equal(
    withoutTrailingSlashes(`http://h${slashes}x//`),
    `http://h${slashes}x`,
  );
  const url = `http://h${slashes}x/`;
  const answer = { id: "r", apiKey: "k", apiUrl: null, proxyUrl: url };
  assert.equal(runnerAnswer.parse(answer).proxyUrl, url.slice(0, -1));
});
