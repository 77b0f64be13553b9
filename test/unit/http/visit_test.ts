import assert from "node:assert/strict";
import { isShown, isVisit } from "../../../src/http/visit.ts";
import { requestHeadersOf } from "../../../src/http/headers.ts";
import { USER_AGENT } from "../../support/login.ts";

/** A typed address. */
const TYPED = {
  "user-agent": USER_AGENT,
  "accept": "text/html",
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-user": "?1",
};

function source(
  differences: Readonly<Record<string, string | undefined>>,
  method = "GET",
) {
  const headers = new Headers();
  for (const [name, value] of Object.entries({ ...TYPED, ...differences })) {
    if (value !== undefined) headers.set(name, value);
  }
  return { method, headers: requestHeadersOf(headers) };
}

Deno.test("isVisit() is true for an address that is typed, clicked or reloaded in a window of a browser", () => {
  const reloaded = { "sec-fetch-site": "same-origin" };
  const clicked = { "sec-fetch-site": "cross-site" };
  const agents = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
  ].map((agent) => ({ "user-agent": agent }));
  for (
    const differences of [
      {},
      { "sec-fetch-user": undefined },
      reloaded,
      clicked,
      { "sec-fetch-site": "same-site" },
      ...agents,
    ]
  ) assert.ok(isVisit(source(differences)), JSON.stringify(differences));
});

Deno.test("isVisit() is false for everything that does not clearly say that it is one", () => {
  const cases: Record<string, string | undefined>[] = [
    // No browser, or one over plain http.
    Object.fromEntries(
      Object.keys(TYPED).filter((name) => name.startsWith("sec-"))
        .map((name) => [name, undefined]),
    ),
    { "sec-fetch-mode": undefined },
    { "sec-fetch-dest": undefined },
    { "sec-fetch-site": undefined, "sec-fetch-user": undefined },
    // Part of a page, or within one.
    { "sec-fetch-dest": "iframe" },
    { "sec-fetch-dest": "image", "sec-fetch-mode": "no-cors" },
    { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" },
    { "sec-fetch-dest": "document", "sec-fetch-mode": "cors" },
    // Nobody has clicked: as when our page reloads by itself.
    { "sec-fetch-site": "same-origin", "sec-fetch-user": undefined },
    { "sec-fetch-site": "cross-site", "sec-fetch-user": undefined },
    { "sec-fetch-site": "same-site", "sec-fetch-user": "?0" },
    // A form, or something that contradicts itself.
    { "origin": "https://evil.example" },
    { "origin": "null" },
    // Ahead of time.
    { "sec-purpose": "prefetch" },
    { "sec-purpose": "prefetch;prerender" },
    { "purpose": "prefetch" },
    { "x-purpose": "preview" },
    { "x-moz": "prefetch" },
    // Programs.
    ...[
      undefined,
      "curl/8.5.0 (https://curl.se)",
      "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
      "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
      "facebookexternalhit/1.1",
      "WhatsApp/2.23",
      "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
      `${USER_AGENT} HeadlessChrome/140`,
    ].map((agent) => ({ "user-agent": agent })),
  ];
  for (const differences of cases) {
    assert.equal(
      isVisit(source(differences)),
      false,
      JSON.stringify(differences),
    );
  }
  for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"]) {
    assert.equal(isVisit(source({}, method)), false, method);
  }
});

Deno.test("isShown() is true for a GET that is not made ahead of time, whatever else it says", () => {
  assert.ok(isShown(source({ "sec-fetch-dest": "iframe" })));
  assert.ok(isShown(source({ "sec-fetch-mode": undefined })));
  assert.equal(isShown(source({ "sec-purpose": "prefetch" })), false);
  assert.equal(isShown(source({}, "HEAD")), false);
});
