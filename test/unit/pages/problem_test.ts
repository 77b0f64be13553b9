import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ErrorCode } from "../../../src/errors.ts";
import { BASE_POLICY } from "../../../src/pages/page.ts";
import { problem, type ProblemOptions } from "../../../src/pages/problem.ts";

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

Deno.test("an isolated page may frame the pages of which it is to hear, and no other response of ours changes", () => {
  const ancestors = ["https://builder.example"];
  for (
    const [asPage, advice, isFramed] of [
      [true, { ancestors }, true],
      [true, {}, false],
      [false, { ancestors }, false],
    ] as const
  ) {
    const options = { code: "port_closed", requestId: "id" } as const;
    const { headers } = problem({ ...options, asPage, advice });
    const policies = ["embedder", "resource"].map((what) =>
      headers.get(`cross-origin-${what}-policy`)
    );
    const expected = isFramed ? ["require-corp", "cross-origin"] : [null, null];
    assert.deepEqual(policies, expected);
  }
});

Deno.test("a problem document's type is what /docs says of its code, where that is known", async () => {
  const options = {
    code: "port_closed",
    requestId: "id",
    asPage: false,
  } as const;
  const docsUrl = "https://p.test/docs";
  const { type } = await problem({ ...options, docsUrl }).json();
  assert.equal(type, "https://p.test/docs#port_closed");
  const unknown = await problem(options).json();
  assert.equal(unknown.type, "about:blank");
});

Deno.test("a problem document names the cause of a refused frame, and no other has such a member", async () => {
  const options = { requestId: "id", asPage: false };
  const advice = { frameCause: "no_referer" } as const;
  const refused = problem({ ...options, code: "frame_refused", advice });
  const { cause, detail } = await refused.json();
  assert.equal(cause, "no_referer");
  assert.match(detail, /does not say which one it is/);
  const other = await problem({ ...options, code: "port_closed" }).json();
  assert.ok(!("cause" in other));
});

Deno.test("the policy of problem() allows exactly the scripts that its page has", async () => {
  const action = {
    html: '<form method="post"><button>Start</button></form>',
    policy: `${BASE_POLICY}; frame-ancestors 'none'`,
  };
  const retryUrl = "https://3000-box.p.test/";
  const ancestors = ["https://product.example"];
  const asPage = { requestId: "id", asPage: true };
  for (
    const [count, options] of [
      [0, { code: "login_required", mayReload: true }],
      [0, { code: "port_closed" }],
      [2, { code: "port_closed", mayReload: true }],
      [1, { code: "internal", mayReload: true }],
      [1, { code: "frame_refused" }],
      [1, { code: "login_unavailable", mayRetry: true }],
      [1, { code: "login_unavailable", mayRetry: true, advice: { retryUrl } }],
      [2, { code: "sandbox_stopped", mayReload: true, advice: { action } }],
      [1, { code: "sandbox_stopped", advice: { action } }],
      [1, { code: "grant_invalid", advice: { ancestors } }],
      [3, { code: "port_closed", mayReload: true, advice: { ancestors } }],
      [3, {
        code: "sandbox_stopped",
        mayReload: true,
        advice: { action, ancestors },
      }],
    ] as const satisfies readonly (readonly [number, Partial<ProblemOptions>])[]
  ) {
    const page = problem({ ...asPage, ...options });
    const policy = page.headers.get("content-security-policy") ?? "";
    const scripts = [
      ...(await page.text()).matchAll(/<script[^>]*>([^]*?)<\/script>/g),
    ];
    assert.equal(scripts.length, count, options.code);
    assert.match(policy, /^default-src 'none'; /);
    const sources = scripts.map(([, text = ""]) =>
      `'sha256-${createHash("sha256").update(text).digest("base64")}'`
    );
    const [, allowed = ""] = /; script-src (.*)$/.exec(policy) ?? [];
    assert.equal(allowed, sources.join(" "), options.code);
    const waits = options.code === "port_closed" && count > 0;
    assert.equal(policy.includes("connect-src 'self'"), waits);
  }
});
