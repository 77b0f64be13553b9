import assert from "node:assert/strict";
import type { HeaderList } from "../../../../src/http/headers.ts";
import { linkDestination } from "../../../../src/resolver/hosted/hosted_preview.ts";
import {
  hostedRefusalOf,
  HostedRefusals,
  ownFailure,
  withoutRunner,
} from "../../../../src/resolver/refusals/hosted_refusals.ts";
import { Refusal } from "../../../../src/resolver/refusals/refusal.ts";
import type { UpstreamResponse } from "../../../../src/upstream/http1/message.ts";
import { loginRedirect, NO_UPSTREAM } from "../../../support/destination.ts";

const AUTHORITY = "3000-box.hosted.example";

const refusals = new HostedRefusals(NO_UPSTREAM, "preview_token");

/** What the head of a response from the sandbox's address comes to, as an error code. */
function refusalAtBox(
  head: { status: number; headers: HeaderList },
  credential: "preview_token" | "link" = "preview_token",
): [kind: string, code: string] | undefined {
  const refusal = hostedRefusalOf(head, AUTHORITY, credential);
  return refusal && [refusal.kind, refusal.error.code];
}

Deno.test("the proxy's login is its refusal: of the token, or of the link that was the credential", () => {
  const redirect = loginRedirect(`https://${AUTHORITY}/a?b`);
  assert.ok(refusals.mayRefuse(redirect));
  assert.deepEqual(refusalAtBox(redirect), ["not_accepted", "runner_refused"]);
  assert.deepEqual(
    refusalAtBox(redirect, "link"),
    ["final", "signed_token_invalid"],
  );
});

Deno.test("an app's own redirects are its own, and a 401 always is", () => {
  for (
    const response of [
      loginRedirect("https://3000-other.hosted.example/"),
      loginRedirect(`https://${AUTHORITY}/`, { cookie: "session=1" }),
      loginRedirect(`https://${AUTHORITY}/`, { redirect: "/elsewhere" }),
      loginRedirect("not a URL"),
      { status: 307, headers: [["Location", "/login"]] },
      { status: 307, headers: [["Set-Cookie", "pkce_verifier=v"]] },
      { ...loginRedirect(`https://${AUTHORITY}/`), status: 302 },
      { status: 401, headers: [["WWW-Authenticate", "Basic"]] },
    ] as const
  ) {
    assert.equal(refusalAtBox(response), undefined);
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
  assert.ok(refusals.mayRefuse(page));
  assert.deepEqual(refusalAtBox(page), ["not_accepted", "runner_refused"]);
  assert.ok(!refusals.mayRefuse({ status: 200, headers: [] }));
  const ofApp = { ...page, headers: page.headers.slice(0, 2) };
  assert.equal(refusalAtBox(ofApp), undefined);
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
  const byLink = new HostedRefusals(NO_UPSTREAM, "link");
  const token = "abcdefgh12345678";
  const link = { token, port: 3000 };
  const destination = linkDestination("https://hosted.example", link, {
    appOrigin: "auto",
    refusals: byLink,
  });
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
    const judged = await byLink.judge(answer(body), app, destination);
    assert(judged instanceof Refusal);
    assert.equal(judged.error.code, code);
  }
  const own = answer(refusal(400, "the app's own"));
  assert.deepEqual(await byLink.judge(own, app, destination), own);
});

/** A failure of the proxy itself. */
const FAILURE = {
  statusCode: 500,
  message: "failed to get runner info: connection refused",
  code: "INTERNAL_SERVER_ERROR",
  timestamp: "2026-07-15T12:00:00.123456789Z",
  path: "/a",
  method: "GET",
};

Deno.test("a 500 of the proxy itself is told by all of its members, and an app's is the app's", () => {
  const judge = (body: unknown, status = 500) =>
    ownFailure(status, JSON.stringify(body));
  assert.equal(judge(FAILURE), "runner_unreachable");
  const newer = { ...FAILURE, source: "DAYTONA_PROXY" };
  assert.equal(judge(newer), "runner_unreachable");
  assert.equal(judge(FAILURE, 502), undefined);
  for (const [name, value] of Object.entries(FAILURE)) {
    assert.equal(judge({ ...FAILURE, [name]: undefined }), undefined, name);
    const other = typeof value === "string" ? 1 : "500";
    assert.equal(judge({ ...FAILURE, [name]: other }), undefined, name);
  }
  for (
    const app of [
      { ...FAILURE, source: "DAYTONA_DAEMON" },
      { ...FAILURE, code: "ERR_DATABASE" },
      { statusCode: 500, message: "Internal server error" },
    ]
  ) assert.equal(judge(app), undefined);
});

Deno.test("a failure in the proxy's form is the daemon's own on its ports, and a HEAD is told by a GET", async () => {
  const body = new TextEncoder().encode(JSON.stringify(FAILURE));
  const response: UpstreamResponse = {
    status: 500,
    headers: [
      ["content-type", "application/json; charset=utf-8"],
      ["content-length", String(body.length)],
    ],
    body,
  };
  let probed: UpstreamResponse = response;
  const refusalsOf = () =>
    new HostedRefusals({
      request({ method, target, headers }) {
        assert.deepEqual([method, target], ["GET", "/"]);
        const use = ["x-daytona-skip-last-activity-update", "true"];
        assert.ok(headers.some((each) => String(each) === String(use)));
        return Promise.resolve(probed);
      },
    }, "preview_token");
  const destination = linkDestination("https://hosted.example", {
    token: "abcdefgh12345678",
    port: 3000,
  }, { appOrigin: "auto", refusals });
  assert.ok(refusals.mayRefuse(response));
  for (
    const [method, sandboxPort, isRefused] of [
      ["GET", 3000, true],
      ["POST", 3000, true],
      ["HEAD", 3000, true],
      ["GET", 2280, false],
      ["HEAD", 2280, false],
    ] as const
  ) {
    const asked = { method, sandboxId: "box", sandboxPort };
    const judged = await refusalsOf().judge(response, asked, destination);
    assert.equal(
      judged instanceof Refusal,
      isRefused,
      `${method} ${sandboxPort}`,
    );
    if (judged instanceof Refusal) {
      assert.deepEqual(
        [judged.kind, judged.error.code],
        ["final", "runner_unreachable"],
      );
    } else assert.equal(judged, response);
  }
  probed = { status: 200, headers: [], body: null };
  const asked = { method: "HEAD", sandboxId: "box", sandboxPort: 3000 };
  const head = { ...response, body: null };
  const judged = await refusalsOf().judge(head, asked, destination);
  assert.deepEqual(judged, head, "an app's own failure");
});
