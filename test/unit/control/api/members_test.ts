import assert from "node:assert/strict";
import {
  JSON_TYPE,
  memberOf,
  NAMED,
  NOTES_PATH,
  OWN_READ,
  OWN_WRITE,
  setUpApi,
  wish,
} from "../../../support/api.ts";

const LIST = `${NOTES_PATH}?sandbox=box`;
const LATER = 2 ** 50;

Deno.test("a request without bearer and login is 401, whatever else it presents, and nobody is asked about it", async () => {
  for (
    const headers of [
      {},
      { "x-daytona-preview-token": "t" },
      { "x-porthole-token": "pp_t" },
      { authorization: "Basic dTpw" },
      { authorization: "Bearer grant-of-box" },
      { ...OWN_READ, cookie: "__Host-porthole-session=sealed; app=1" },
    ]
  ) {
    const { send, gated, records } = setUpApi();
    const { status, code, response } = await send(LIST, { headers });
    assert.deepEqual([status, code], [401, "login_required"]);
    assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/);
    assert.deepEqual([gated, records.asked], [[], []]);
  }
});

Deno.test("a bearer counts whichever page sent it, and no cookie counts beside it", async () => {
  const { send, cookies, sessions, gated } = setUpApi();
  const cookie = `${cookies.loginSession("box")}=member-of-box`;
  const session = { kind: "login", sandboxId: "box", id: "i" } as const;
  sessions.set("member-of-box", { ...session, expiresAt: LATER });
  const site = { "sec-fetch-site": "cross-site", origin: "https://evil.test" };
  const good = { ...memberOf("box"), ...site };
  assert.equal((await send(LIST, { headers: good })).status, 200);
  const bad = { ...memberOf("other"), ...OWN_READ, cookie };
  const { status, code } = await send(LIST, { headers: bad });
  assert.deepEqual([status, code], [404, "not_found"]);
  assert.deepEqual(gated, ["box", "box"]);
});

Deno.test("a login counts for pages of exactly that host: reads say so by Sec-Fetch-Site, and writes by Origin", async () => {
  const own = "https://p.test";
  for (
    const [method, headers, isOwn] of [
      ["GET", {}, false],
      ["GET", { "sec-fetch-site": "same-origin" }, true],
      ["GET", { "sec-fetch-site": "none" }, false],
      ["GET", { "sec-fetch-site": "same-site" }, false],
      ["GET", { "sec-fetch-site": "cross-site" }, false],
      ["GET", { origin: own }, false],
      ["HEAD", { "sec-fetch-site": "same-origin" }, true],
      ["HEAD", { "sec-fetch-site": "same-site" }, false],
      ["POST", {}, false],
      ["POST", { "sec-fetch-site": "same-origin" }, false],
      ["POST", { origin: own }, true],
      ["POST", { origin: own, "sec-fetch-site": "same-origin" }, true],
      ["POST", { origin: own, "sec-fetch-site": "none" }, false],
      ["POST", { origin: own, "sec-fetch-site": "same-site" }, false],
      ["POST", { origin: "null", "sec-fetch-site": "same-origin" }, false],
      ["POST", { origin: "http://p.test" }, false],
      ["POST", { origin: "https://3000-box.p.test" }, false],
      ["POST", { origin: "https://p.test.evil.test" }, false],
    ] as const
  ) {
    const { send, cookies, sessions, gated } = setUpApi();
    const cookie = `${cookies.loginSession("box")}=member-of-box`;
    const session = { kind: "login", sandboxId: "box", id: "i" } as const;
    sessions.set("member-of-box", { ...session, expiresAt: LATER });
    const { status, code } = await send(LIST, {
      method,
      headers: { ...headers, cookie, ...JSON_TYPE },
      ...method === "POST" && { body: wish() },
    });
    const name = `${method} ${JSON.stringify(headers)}`;
    const done = method === "POST" ? 201 : 200;
    const expected = isOwn ? [done, null] : [403, "origin_refused"];
    assert.deepEqual([status, code], expected, name);
    assert.deepEqual(gated, isOwn ? ["box"] : [], name);
  }
});

Deno.test("what another site's page sends without any cookie is refused as its own", async () => {
  const { send } = setUpApi();
  const headers = { origin: "https://evil.test", ...JSON_TYPE };
  const { code, response } = await send(NOTES_PATH, {
    method: "POST",
    headers,
    body: wish(),
  });
  assert.equal(code, "origin_refused");
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});

Deno.test("a preflight gets no leave", async () => {
  const { send } = setUpApi();
  const { response, status } = await send(NOTES_PATH, {
    method: "OPTIONS",
    headers: {
      origin: "https://3000-box.p.test",
      "access-control-request-method": "POST",
    },
  });
  assert.equal(status, 404);
  const names = [...response.headers.keys()].filter((name) =>
    name.startsWith("access-control-")
  );
  assert.deepEqual(names, []);
});

Deno.test("a login that has ended, or is no login, is 401, and one for another sandbox opens none", async () => {
  const { send, cookies, sessions, endedIds } = setUpApi();
  const cookie = `${cookies.loginSession("box")}=member-of-box`;
  const headers = { ...OWN_READ, cookie };
  async function ask() {
    const { status, code } = await send(LIST, { headers });
    return [status, code];
  }
  assert.deepEqual(await ask(), [401, "login_required"]);
  const key = { kind: "key", sandboxId: "box", token: "t" } as const;
  sessions.set("member-of-box", { ...key, expiresAt: LATER });
  assert.deepEqual(await ask(), [401, "login_required"]);
  const session = { kind: "login", sandboxId: "box", id: "i" } as const;
  sessions.set("member-of-box", { ...session, expiresAt: LATER });
  assert.deepEqual(await ask(), [200, null]);
  endedIds.add("i");
  assert.deepEqual(await ask(), [401, "login_required"]);
  endedIds.clear();
  const other = { ...session, sandboxId: "other", expiresAt: LATER };
  sessions.set("member-of-box", other);
  assert.deepEqual(await ask(), [404, "not_found"]);
});

Deno.test("the login of a user counts for every sandbox that it opens, where logins are for users", async () => {
  const { send, cookies, sessions } = setUpApi("host");
  const cookie = `${cookies.userSession("i")}=member-of-box`;
  const user = { kind: "user", id: "i", expiresAt: LATER } as const;
  sessions.set("member-of-box", user);
  const headers = { ...OWN_READ, cookie };
  assert.equal((await send(LIST, { headers })).status, 200);
  const other = `${NOTES_PATH}?sandbox=other`;
  assert.equal((await send(other, { headers })).code, "not_found");
});

Deno.test("a login that calls its sandbox by a name counts for what is recorded of that sandbox", async () => {
  const { send, cookies, sessions } = setUpApi();
  const cookie = `${cookies.loginSession("name")}=member-of-name`;
  const session = { kind: "login", sandboxId: "name", id: "i" } as const;
  sessions.set("member-of-name", { ...session, expiresAt: LATER });
  const { response, status } = await send(NOTES_PATH, {
    method: "POST",
    headers: { ...OWN_WRITE, ...JSON_TYPE, cookie },
    body: wish({ sandbox: "name" }),
  });
  assert.equal(status, 201);
  assert.equal((await response.json()).sandboxId, NAMED);
  const path = response.headers.get("location") ?? "";
  const headers = { ...OWN_READ, cookie };
  assert.equal((await send(path, { headers })).status, 200);
});

Deno.test("there is no API on other hosts", async () => {
  const { send } = setUpApi();
  const headers = memberOf("box");
  const { code } = await send(LIST, { headers, base: null });
  assert.equal(code, "route_not_found");
});
