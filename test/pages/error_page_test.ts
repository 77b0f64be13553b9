import assert from "node:assert/strict";
import { ERROR_STATUS, type ErrorCode } from "../../src/errors.ts";
import { errorPage } from "../../src/pages/error_page.ts";

function pageOf(code: ErrorCode, mayReload = true): string {
  const status = ERROR_STATUS[code];
  return errorPage({ code, status, requestId: "id-<1>", mayReload });
}

Deno.test("errorPage() shows every code with its status, and escapes the request's id", () => {
  for (const code of Object.keys(ERROR_STATUS) as ErrorCode[]) {
    const page = pageOf(code);
    assert.match(page, new RegExp(`class="status">${ERROR_STATUS[code]}<`));
    assert.match(page, /id-&lt;1&gt;/);
    assert.doesNotMatch(page, /<script/i);
  }
});

Deno.test("errorPage() reloads by itself where waiting helps, and says so", () => {
  for (const code of ["port_closed", "api_unreachable"] as const) {
    assert.match(pageOf(code), /<meta http-equiv="refresh" content="5">/);
    assert.match(pageOf(code), /reloads by itself/);
  }
});

Deno.test("errorPage() does not reload where it would not help, or could send a form twice", () => {
  for (
    const page of [
      pageOf("login_required"),
      pageOf("sandbox_not_found"),
      pageOf("too_many_refusals"),
      pageOf("internal"),
      pageOf("port_closed", false),
    ]
  ) assert.doesNotMatch(page, /refresh|reloads/);
});
