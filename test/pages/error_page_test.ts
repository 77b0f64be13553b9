import assert from "node:assert/strict";
import { ERROR_STATUS, type ErrorCode } from "../../src/errors.ts";
import { errorPage } from "../../src/pages/error_page.ts";

function pageOf(
  code: ErrorCode,
  mayReload = true,
  retryAfterSec?: number,
  retryUrl?: string,
): string {
  const status = ERROR_STATUS[code];
  const requestId = "id-<1>";
  return errorPage({
    code,
    status,
    requestId,
    mayReload,
    retryAfterSec,
    advice: { retryUrl },
  });
}

Deno.test("errorPage() shows every code with its status, and escapes the request's id", () => {
  for (const code of Object.keys(ERROR_STATUS) as ErrorCode[]) {
    const page = pageOf(code);
    assert.match(page, new RegExp(`class="status">${ERROR_STATUS[code]}<`));
    assert.match(page, /id-&lt;1&gt;/);
    assert.doesNotMatch(pageOf(code, false), /<script/i);
  }
});

Deno.test("errorPage() reloads by itself if waiting helps, and says so", () => {
  for (const code of ["port_closed", "api_unreachable"] as const) {
    const page = pageOf(code);
    assert.match(page, /<script data-seconds="5">/);
    assert.match(
      page,
      /<noscript><meta http-equiv="refresh" content="5"><\/noscript>/,
    );
    assert.match(page, /reloads by itself/);
  }
});

Deno.test("errorPage() reloads no sooner than Retry-After says", () => {
  const page = pageOf("api_unreachable", true, 60);
  assert.match(page, /<script data-seconds="60">/);
  assert.match(page, /<meta http-equiv="refresh" content="60">/);
  assert.match(page, /every 60 seconds/);
  const soon = pageOf("overloaded", true, 2);
  assert.match(soon, /<script data-seconds="5">.*\n.*content="5"/);
});

Deno.test("errorPage() does not reload if that would not help or could send a form twice", () => {
  for (
    const page of [
      pageOf("login_required"),
      pageOf("sandbox_not_found"),
      pageOf("too_many_refusals"),
      pageOf("internal"),
      pageOf("port_closed", false),
    ]
  ) assert.doesNotMatch(page, /refresh|reload|script/);
});

Deno.test("errorPage() links the preview after a failed login, and the documentation", () => {
  const preview = 'https://3000-box.p.test/a?b=1&c="<';
  const link = '<a href="https://3000-box.p.test/a?b=1&amp;c=&quot;&lt;">';
  const failed = pageOf("login_failed", true, undefined, preview);
  assert(failed.includes(`${link}Try again</a>`));
  const refused = pageOf("no_access", true, undefined, preview);
  assert(refused.includes(`${link}Log in with another account</a>`));
  assert.doesNotMatch(pageOf("login_failed"), /<a /);
  assert.match(pageOf("route_not_found"), /<a href="\/docs">\/docs<\/a>/);
  // It may be shown on a preview host, where that page would be the app's.
  assert.match(pageOf("bad_request"), /\/docs/);
  assert.doesNotMatch(pageOf("bad_request"), /<a /);
});

Deno.test("S4: errorPage() leads out of a frame by a new tab", () => {
  const page = pageOf("frame_refused");
  assert.match(page, /<a href="" target="_blank" rel="noopener">Open it in/);
  assert.doesNotMatch(page, /refresh/);
});

Deno.test("errorPage() leads the app's developer on where the app may be the cause, and to nowhere without an address", () => {
  const guideUrl = "https://p.test/docs/apps?<";
  const data = { requestId: "id", mayReload: false, retryAfterSec: undefined };
  const page = (code: ErrorCode, guideUrl?: string) =>
    errorPage({
      ...data,
      code,
      status: ERROR_STATUS[code],
      advice: {},
      guideUrl,
    });
  assert.match(
    page("port_closed", guideUrl),
    /href="https:\/\/p\.test\/docs\/apps\?&lt;"/,
  );
  assert.doesNotMatch(page("login_required", guideUrl), /docs\/apps/);
  assert.doesNotMatch(page("port_closed"), /For the app/);
});
