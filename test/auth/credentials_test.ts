import assert from "node:assert/strict";
import {
  type CredentialSource,
  mayUseSessions,
  presentedCredentials,
} from "../../src/auth/credentials.ts";
import { OwnCookies } from "../../src/auth/own_cookies.ts";

const COOKIES = new OwnCookies({
  scheme: "http",
  sameSite: "lax",
  scope: "sandbox",
});

const HOST = {
  port: 3000,
  label: "demo",
  base: "proxy.localhost",
  authoritySuffix: "proxy.localhost:4000",
};

function source(
  headers: Record<string, string>,
  changes: Partial<CredentialSource> = {},
): CredentialSource {
  return {
    method: "GET",
    headers: new Headers(headers),
    host: HOST,
    scheme: "http",
    cookies: COOKIES,
    queryToken: undefined,
    allowedOrigins: new Set(["https://chat.example.com"]),
    ...changes,
  };
}

Deno.test("presentedCredentials() lists every credential in the order of precedence", () => {
  const credentials = presentedCredentials(source({
    authorization: "Bearer b",
    cookie: `porthole-session=s1; a=1; porthole-session=s2; ${
      COOKIES.loginSession("demo")
    }=s3; ${COOKIES.loginSession("other")}=s4`,
    "x-daytona-preview-token": "t",
  }, { queryToken: "q" }));
  assert.deepEqual(credentials, [
    { kind: "preview_token", token: "t" },
    { kind: "auth_key", token: "q" },
    { kind: "session", sealed: "s1" },
    { kind: "session", sealed: "s2" },
    { kind: "session", sealed: "s3" },
    { kind: "bearer", token: "b" },
  ]);
});

Deno.test("presentedCredentials() reads no bearer from another scheme, and at most eight sessions of one name", () => {
  for (
    const authorization of [
      "Basic Og==",
      "Basic bearer b",
      "Bearer",
      "Bearer b c",
    ]
  ) assert.deepEqual(presentedCredentials(source({ authorization })), []);
  const planted = Array.from({ length: 50 }, (_, i) => `porthole-session=${i}`);
  const cookie = [...planted, "porthole-session=real"].join("; ");
  const credentials = presentedCredentials(source({ cookie }));
  assert.equal(credentials.length, 8);
  assert.deepEqual(credentials.at(-1), { kind: "session", sealed: "real" });
});

Deno.test("presentedCredentials() ignores a session that another sandbox's page sends", () => {
  assert.deepEqual(
    presentedCredentials(source({
      cookie: "porthole-session=s",
      origin: "http://3000-evil.proxy.localhost:4000",
    })),
    [],
  );
});

Deno.test("mayUseSessions() allows the sandbox's own pages, navigations, and clients that are not browsers", () => {
  for (
    const [name, headers, method] of [
      ["not a browser", {}],
      ["typed address", { "sec-fetch-site": "none" }],
      ["own script", { "sec-fetch-site": "same-origin" }],
      ["own form of a page without referrer", {
        origin: "null",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "navigate",
      }, "POST"],
      ["own POST", { origin: "http://3000-demo.proxy.localhost:4000" }, "POST"],
      ["another port", {
        origin: "http://5173-demo.proxy.localhost:4000",
        "sec-fetch-site": "same-site",
      }, "PUT"],
      ["allowed origin", {
        origin: "https://chat.example.com",
        "sec-fetch-site": "cross-site",
      }],
      ["link from elsewhere", {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
      }],
      ["image on another port's page", {
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "no-cors",
        referer: "http://5173-demo.proxy.localhost:4000/x?y",
      }],
    ] as [string, Record<string, string>, string?][]
  ) {
    assert(mayUseSessions(source(headers, { method: method ?? "GET" })), name);
  }
});

Deno.test("mayUseSessions() refuses every other page", () => {
  for (
    const [name, headers, method] of [
      ["sibling's fetch", {
        origin: "http://3000-evil.proxy.localhost:4000",
        "sec-fetch-site": "same-site",
      }],
      ["sibling's form", {
        origin: "http://3000-evil.proxy.localhost:4000",
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": "same-site",
      }, "POST"],
      ["form of a sandboxed frame", { origin: "null" }, "POST"],
      ["sibling's WebSocket", {
        origin: "http://3000-evil.proxy.localhost:4000",
        upgrade: "websocket",
      }],
      ["sibling's image without a referer", {
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "no-cors",
      }],
      ["sibling's image", {
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "no-cors",
        referer: "http://3000-evil.proxy.localhost:4000/",
      }],
      ["sibling's script over plain http", {
        referer: "http://3000-evil.proxy.localhost:4000/",
        accept: "*/*",
      }],
      ["a referer that only looks like ours", {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "no-cors",
        referer: "http://evil.com/http://3000-demo.proxy.localhost:4000",
      }],
    ] as [string, Record<string, string>, string?][]
  ) {
    assert(!mayUseSessions(source(headers, { method: method ?? "GET" })), name);
  }
});
