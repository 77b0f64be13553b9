import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ErrorCode } from "../../src/errors.ts";
import { problem } from "../../src/pages/problem.ts";

function headersOf(code: ErrorCode, retryAfterSec?: number): Headers {
  return problem({ code, requestId: "id", asPage: false, retryAfterSec })
    .headers;
}

Deno.test("problem() sends the headers that its status requires", () => {
  const login = headersOf("login_required").get("www-authenticate");
  assert.equal(login, 'Bearer realm="preview"');
  assert.equal(
    headersOf("credential_invalid").get("www-authenticate"),
    'Bearer realm="preview", error="invalid_token"',
  );
  assert.match(
    headersOf("method_not_allowed").get("allow") ?? "",
    /\bGET\b/,
  );
  const upgrade = headersOf("upgrade_required");
  assert.equal(upgrade.get("upgrade"), "websocket");
  assert.equal(upgrade.get("sec-websocket-version"), "13");
});

Deno.test("problem() sends Retry-After with every 503, and where a time is given", () => {
  assert.equal(headersOf("api_unreachable").get("retry-after"), "2");
  assert.equal(
    headersOf("too_many_refusals", 7).get("retry-after"),
    "7",
  );
  assert.equal(headersOf("port_closed").get("retry-after"), null);
});

Deno.test("problem() is a JSON document for programs and a page for browsers, with the same code and request ID", async () => {
  const options = { code: "port_closed", requestId: "id" } as const;
  const forProgram = problem({ ...options, asPage: false });
  assert.deepEqual(
    forProgram.headers.get("content-type"),
    "application/problem+json",
  );
  const { code, requestId, status } = await forProgram.json();
  assert.deepEqual([code, requestId, status], ["port_closed", "id", 502]);
  const forPerson = problem({ ...options, asPage: true });
  assert.match(forPerson.headers.get("content-type") ?? "", /^text\/html/);
  assert.doesNotMatch(await forPerson.text(), /http-equiv="refresh"/);
  for (const { headers } of [forProgram, forPerson]) {
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-porthole-error"), "port_closed");
    assert.equal(headers.get("x-request-id"), "id");
  }
});

Deno.test("the policy of problem() allows a page that reloads by itself the very script that does so, and no other page any", async () => {
  const waiting = {
    code: "port_closed",
    requestId: "id",
    asPage: true,
  } as const;
  const reloading = problem({ ...waiting, mayReload: true });
  const [, script = ""] = /<script[^>]*>([^]*?)<\/script>/.exec(
    await reloading.text(),
  ) ?? [];
  const digest = createHash("sha256").update(script).digest("base64");
  const allowed = "content-security-policy";
  assert.match(reloading.headers.get(allowed) ?? "", /^default-src 'none'; /);
  assert.ok(
    reloading.headers.get(allowed)?.endsWith(`; script-src 'sha256-${digest}'`),
  );
  for (
    const page of [
      problem(waiting),
      problem({ ...waiting, code: "login_required", mayReload: true }),
    ]
  ) assert.doesNotMatch(page.headers.get(allowed) ?? "", /script/);
});
