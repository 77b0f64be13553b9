/** Who has access, tested on the complete service. */
import assert from "node:assert/strict";
import { z } from "zod";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { valuesOf } from "../../src/http/headers.ts";
import { BASE, DEMO, LOCKED, startGateway } from "../support/gateway.ts";
import {
  NAMED_WORLDS as WORLDS,
  testByNameToo as test,
} from "../support/named_worlds.ts";

const SIGNED = `3000-${KEYS.signedToken}.${BASE}`;

Deno.test("a public sandbox is open to anyone, and its app learns where the request came from", async () => {
  await using gateway = await startGateway();
  const answer = await gateway.send(DEMO, { path: "/echo" });
  assert.equal(answer.status, 200);
  const fields = answer.echoed();
  assert.equal(fields.get("x-forwarded-host"), DEMO);
  assert.equal(fields.get("x-forwarded-proto"), "http");
  // The client, and who sent the request to the runner and to the daemon.
  assert.equal(
    fields.get("x-forwarded-for"),
    "127.0.0.1, 127.0.0.1, 127.0.0.1",
  );
  assert.equal(fields.get("host"), "localhost:3000");
});

Deno.test("with PUBLIC=never, a public sandbox needs a credential too, and the API is not asked whether it is public", async () => {
  await using gateway = await startGateway({ PUBLIC: "never" });
  const { api } = gateway.stack;
  const refused = await gateway.send(DEMO, { path: "/echo" });
  assert.equal(refused.status, 401);
  assert.equal(refused.code, "login_required");
  const user = { authorization: `Bearer ${KEYS.user}` };
  const answer = await gateway.send(DEMO, { path: "/echo", headers: user });
  assert.equal(answer.status, 200);
  assert.equal(api.count("isSandboxPublic"), 0);
});

test("a private sandbox answers 401 as a problem document, and as a page to a browser", async (startGateway) => {
  await using gateway = await startGateway();
  const answer = await gateway.send(LOCKED);
  assert.equal(answer.status, 401);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer /);
  assert.equal(answer.json().code, "login_required");

  // The toolbox never redirects to a login.
  const page = await gateway.send("2280-locked.proxy.localhost", {
    headers: { accept: "text/html", "sec-fetch-mode": "navigate" },
  });
  assert.equal(page.status, 401);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(page.body, /login_<wbr>required/);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /default-src 'none'/,
  );
});

test("a preview token in a navigation's query becomes a session cookie", async (startGateway) => {
  await using gateway = await startGateway();
  const first = await gateway.send(LOCKED, {
    path: `/echo?a=%20+&DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}&b`,
    headers: { accept: "text/html" },
  });
  assert.equal(first.status, 303);
  assert.equal(
    first.headers.get("location"),
    `http://${LOCKED}/echo?a=%20+&b`,
  );
  assert.equal(first.headers.get("cache-control"), "no-store");
  const line = first.headers.get("set-cookie") ?? "";
  assert.match(
    line,
    /^porthole-session=[^;]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
  );

  const cookie = `${line.split(";")[0]}; app=1`;
  const second = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { cookie },
  });
  assert.equal(second.status, 200);
  assert.equal(second.echoed().get("cookie"), "app=1");

  const fromSibling = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { cookie, origin: `http://${DEMO}` },
  });
  assert.equal(fromSibling.code, "login_required");
  const elsewhere = await gateway.send("3000-stopped.proxy.localhost", {
    headers: { cookie },
  });
  assert.notEqual(elsewhere.status, 200);
});

test("over https the session cookie is bound to its host and Secure", async (startGateway) => {
  await using gateway = await startGateway({ PROXY_PROTOCOL: "https" });
  const answer = await gateway.send(LOCKED, {
    path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
  });
  assert.match(
    answer.headers.get("set-cookie") ?? "",
    /^__Host-porthole-session=.*; Secure$/,
  );
  assert.equal(answer.headers.get("location"), `https://${LOCKED}/`);
});

test("a signed link opens its port and no other, until it ends", async (startGateway) => {
  await using gateway = await startGateway({ SIGNED_TOKEN_TTL_SEC: "1" });
  assert.equal((await gateway.send(SIGNED, { path: "/echo" })).status, 200);
  for (const port of [3001, 2280, 22222, 33333]) {
    const answer = await gateway.send(
      `${port}-${KEYS.signedToken}.proxy.localhost`,
    );
    assert.equal(answer.status, 401);
    assert.equal(answer.code, "signed_token_invalid");
  }
});

test("the reserved ports of a public sandbox need a credential", async (startGateway) => {
  await using gateway = await startGateway();
  for (const port of [2280, 22222, 33333]) {
    const answer = await gateway.send(`${port}-demo.proxy.localhost`);
    assert.equal(answer.code, "login_required");
  }
});

test("a port in any other spelling is no preview host and reaches no runner", async (startGateway) => {
  await using gateway = await startGateway();
  for (const port of ["02280", "+2280", "0x8e8", "2280.", "00022222"]) {
    const answer = await gateway.send(`${port}-demo.proxy.localhost`);
    assert.equal(answer.status, 400, port);
    assert.equal(answer.code, "bad_host", port);
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
});

test("an app never sees the gateway's credentials, on a public sandbox either", async (startGateway) => {
  await using gateway = await startGateway();
  const answer = await gateway.send(DEMO, {
    path: "/echo?x&DAYTONA_SANDBOX_AUTH_KEY=secret-key&y=",
    headers: {
      cookie: "a=1; porthole-session=secret-cookie; b=2",
      "sec-fetch-mode": "cors",
      "x-daytona-preview-token": "secret-token",
      authorization: "Bearer the-app-s-own",
      connection: "close, x-daytona-authorization",
    },
  });
  assert.equal(answer.status, 200);
  assert.doesNotMatch(answer.body, /secret/);
  assert.equal(answer.json().url, "/echo?x&y=");
  assert.equal(answer.echoed().get("cookie"), "a=1; b=2");
  assert.equal(answer.echoed().get("authorization"), "Bearer the-app-s-own");
});

test("a preview token that is a path makes no API call and opens nothing", async (startGateway) => {
  await using gateway = await startGateway();
  for (const token of ["../../demo/public", "..%2f..%2fdemo%2fpublic"]) {
    const answer = await gateway.send(LOCKED, {
      headers: { "x-daytona-preview-token": token },
    });
    assert.equal(answer.code, "credential_invalid");
  }
  assert.equal(gateway.stack.api.count("isValidAuthToken"), 0);
});

test("a front that adds the scheme's default port to Host changes nothing: a page uses its session, and the app learns no port", async (startGateway) => {
  for (const [scheme, port] of [["https", 443], ["http", 80]] as const) {
    await using gateway = await startGateway({ PROXY_PROTOCOL: scheme });
    const host = `${LOCKED}:${port}`;
    const path = "/echo";
    const link = await gateway.send(host, {
      path: `${path}?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
      headers: { accept: "text/html" },
    });
    const origin = `${scheme}://${LOCKED}`;
    assert.equal(link.headers.get("location"), origin + path);
    const [session = ""] = link.headers.getSetCookie();
    const answer = await gateway.send(host, {
      method: "POST",
      path,
      body: "a=1",
      headers: { origin, cookie: session.split(";")[0] ?? "" },
    });
    assert.equal(answer.status, 200, answer.body);
    const lines = z.tuple([z.string(), z.string()]).array()
      .parse(answer.json().headers);
    // Somebody else's proxy adds its own after it.
    assert.equal(valuesOf(lines, "x-forwarded-host")[0], LOCKED);
  }
});

for (const { suffix, startGateway, memberKey } of WORLDS) {
  Deno.test(`the token header, the bearer and the query each open a private sandbox${suffix}`, async () => {
    await using gateway = await startGateway();
    for (
      const options of [
        { headers: { "x-daytona-preview-token": KEYS.lockedToken } },
        { headers: { authorization: `Bearer ${memberKey}` } },
        {
          path: `/echo?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}&x=1`,
          headers: { "sec-fetch-mode": "cors" },
        },
      ]
    ) {
      const answer = await gateway.send(LOCKED, { path: "/echo", ...options });
      assert.equal(answer.status, 200);
      assert.doesNotMatch(answer.body, /locked-token|dtn_|demo-key|AUTH_KEY/);
    }
  });

  Deno.test(`a wrong token is told from none, and does not spoil a good one${suffix}`, async () => {
    await using gateway = await startGateway();
    const wrong = { "x-daytona-preview-token": "wrong" };
    assert.equal(
      (await gateway.send(LOCKED, { headers: wrong })).code,
      "credential_invalid",
    );
    const both = { ...wrong, authorization: `Bearer ${memberKey}` };
    assert.equal((await gateway.send(LOCKED, { headers: both })).status, 200);
  });

  Deno.test(`a preview token in the query that did not admit is removed from the address, and no cookie is set${suffix}`, async () => {
    await using gateway = await startGateway();
    const path = "/echo?DAYTONA_SANDBOX_AUTH_KEY=wrong";
    for (
      const [host, headers] of [
        [LOCKED, { "x-daytona-preview-token": KEYS.lockedToken }],
        [LOCKED, { authorization: `Bearer ${memberKey}` }],
        [DEMO, {}],
      ] as const
    ) {
      const answer = await gateway.send(host, {
        path,
        headers: { accept: "text/html", ...headers },
      });
      assert.equal(answer.status, 303);
      assert.equal(answer.headers.get("location"), `http://${host}/echo`);
      assert.equal(answer.headers.get("set-cookie"), null);
    }
  });
}
