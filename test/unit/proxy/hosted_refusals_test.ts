import assert from "node:assert/strict";
import {
  hostedRefusalOf,
  mayBeHostedRefusal,
  withoutRunner,
} from "../../../src/proxy/hosted_refusals.ts";
import { RefusalJudge } from "../../../src/proxy/refusal_judge.ts";
import { linkDestination } from "../../../src/resolver/hosted/hosted_preview.ts";
import type { UpstreamResponse } from "../../../src/upstream/http1/message.ts";

const AUTHORITY = "3000-box.hosted.example";

/** A redirect that begins a login, which would return to `returnTo`. */
function login(
  returnTo: string,
  { cookie = "pkce_verifier=v; Path=/", redirect = "/callback" } = {},
) {
  const state = new TextEncoder()
    .encode(JSON.stringify({ returnTo, sandboxId: "box", state: "s" }))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const parameters = new URLSearchParams({
    redirect_uri: `https://hosted.example${redirect}`,
    state,
  });
  return {
    status: 307,
    headers: [
      ["Location", `https://id.example/auth?${parameters}`],
      ["Set-Cookie", cookie],
    ] as [string, string][],
  };
}

const AT_BOX = { authority: AUTHORITY, refusedBy: "hosted_proxy" } as const;

Deno.test("the proxy's login is its refusal: of the token, or of the link that was the credential", () => {
  const redirect = login(`https://${AUTHORITY}/a?b`);
  assert.ok(mayBeHostedRefusal(redirect));
  assert.equal(hostedRefusalOf(redirect, AT_BOX)?.code, "runner_refused");
  const byLink = { ...AT_BOX, refusedBy: "hosted_proxy_by_link" } as const;
  assert.equal(hostedRefusalOf(redirect, byLink)?.code, "signed_token_invalid");
});

Deno.test("an app's own redirects are its own, and a 401 always is", () => {
  for (
    const response of [
      login("https://3000-other.hosted.example/"),
      login(`https://${AUTHORITY}/`, { cookie: "session=1" }),
      login(`https://${AUTHORITY}/`, { redirect: "/elsewhere" }),
      login("not a URL"),
      { status: 307, headers: [["Location", "/login"]] },
      { status: 307, headers: [["Set-Cookie", "pkce_verifier=v"]] },
      { ...login(`https://${AUTHORITY}/`), status: 302 },
      { status: 401, headers: [["WWW-Authenticate", "Basic"]] },
    ] as const
  ) {
    assert.equal(hostedRefusalOf(response, AT_BOX), undefined);
  }
});

Deno.test("the proxy's warning is not the app's page", () => {
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";
  const page = {
    status: 200,
    headers: [
      ["Content-Type", "text/html; charset=utf-8"],
      ["Content-Security-Policy", policy],
      ["X-Content-Type-Options", "nosniff"],
    ] as [string, string][],
  };
  assert.ok(mayBeHostedRefusal(page));
  assert.equal(hostedRefusalOf(page, AT_BOX)?.code, "runner_refused");
  assert.ok(!mayBeHostedRefusal({ status: 200, headers: [] }));
  const ofApp = { ...page, headers: page.headers.slice(0, 2) };
  assert.equal(hostedRefusalOf(ofApp, AT_BOX), undefined);
});

function refusal(statusCode: number, message: string): string {
  return JSON.stringify({ statusCode, message, path: "/a", method: "GET" });
}

const ARCHIVED =
  "bad request: failed to get runner info: Sandbox with ID box not found";

Deno.test("a proxy that finds no runner says so of that sandbox, whatever the path", () => {
  const body = refusal(400, ARCHIVED);
  assert.equal(withoutRunner(400, body, "box"), "container_not_found");
  assert.equal(withoutRunner(400, body, undefined), "container_not_found");
  assert.equal(withoutRunner(400, body, "other"), undefined);
  assert.equal(withoutRunner(404, body, "box"), undefined);
  assert.equal(
    withoutRunner(400, refusal(400, "no such page"), "box"),
    undefined,
  );
  assert.equal(withoutRunner(400, "no JSON", "box"), undefined);
});

Deno.test("what is refused by a link names no sandbox that the gateway knows, and is a refusal all the same", async () => {
  const judge = new RefusalJudge({
    request: () => Promise.reject(new Error("nobody is asked")),
  });
  const token = "abcdefgh12345678";
  const link = { token, port: 3000 };
  const destination = linkDestination("https://hosted.example", link, "auto");
  function answer(body: string): UpstreamResponse {
    return {
      status: 400,
      headers: [
        ["content-type", "application/json; charset=utf-8"],
        ["content-length", String(body.length)],
      ],
      body: new TextEncoder().encode(body),
    };
  }
  const app = { method: "GET", sandboxId: "link:0123", sandboxPort: 3000 };
  const stopped = JSON.stringify({
    statusCode: 400,
    message: "bad request: no IP address found. Is the Sandbox started?",
    path: "/sandboxes/some-id/toolbox/proxy/3000/",
  });
  for (
    const [body, code] of [
      [stopped, "sandbox_stopped"],
      [refusal(400, ARCHIVED), "container_not_found"],
    ] as const
  ) {
    await assert.rejects(
      judge.appResponse(answer(body), app, destination),
      { code },
    );
  }
  const own = answer(refusal(400, "the app's own"));
  assert.equal((await judge.appResponse(own, app, destination)).status, 400);
});
