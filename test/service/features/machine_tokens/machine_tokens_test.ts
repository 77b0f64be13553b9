/** Machine tokens: what they open and what they do not, and who makes them, tested on the complete service. */
import assert from "node:assert/strict";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { BASE, LOCKED } from "../../../support/gateway.ts";
import { testsOfMembers } from "../../../support/records_api.ts";
import { testRecordKind } from "../../../support/suites/record_kind.ts";
import {
  askApi,
  makeToken,
  MEMBERS,
  startTokenGateway,
} from "./token_gateway.ts";

testRecordKind({
  name: "tokens",
  settings: MEMBERS,
  wish: { sandbox: "locked", ports: [3000], expiresInSec: 60 },
});

const test = testsOfMembers(startTokenGateway);

test("a token opens its port by header, by bearer and by query, and the app sees none of it", async ({ gateway, key }) => {
  const { token } = await makeToken(gateway, key);
  for (
    const [path, headers] of [
      ["/echo?a=1", { "x-porthole-token": token }],
      ["/echo?a=1", { authorization: `Bearer ${token}` }],
      [`/echo?porthole_token=${token}&a=1`, { "sec-fetch-mode": "cors" }],
    ] as const
  ) {
    const answer = await gateway.send(LOCKED, { path, headers });
    assert.equal(answer.status, 200, JSON.stringify(headers));
    assert.equal(answer.json()["target"] ?? "/echo?a=1", "/echo?a=1");
    assert.doesNotMatch(answer.body, /pp_|porthole.token/i);
  }
});

test("a token in a browser's address becomes a session of that host, and the address is cleaned", async ({ gateway, key }) => {
  const { token } = await makeToken(gateway, key);
  const page = { accept: "text/html", "sec-fetch-mode": "navigate" };
  const first = await gateway.send(LOCKED, {
    path: `/echo?porthole_token=${token}`,
    headers: page,
  });
  assert.equal(first.status, 303);
  assert.equal(first.headers.get("location"), `http://${LOCKED}/echo`);
  const [cookie = ""] = (first.headers.get("set-cookie") ?? "").split(";");
  const headers = { cookie };
  async function statusAt(host: string, method = "GET") {
    return (await gateway.send(host, { path: "/echo", headers, method }))
      .status;
  }
  assert.equal(await statusAt(LOCKED), 200);
  assert.equal(await statusAt(`8000-locked.${BASE}`), 401);
});

test("a webhook's POST with a token in its query reaches the app once, as it is and without the token", async ({ gateway, key }) => {
  const { token } = await makeToken(gateway, key, { methods: ["POST"] });
  const seen: [string | undefined, string | undefined, string][] = [];
  const port = gateway.stack.environment.PROXY_API_KEY === undefined
    ? undefined
    : await gateway.serve((request, response) => {
      let body = "";
      request.on("data", (part) => body += part);
      request.on("end", () => {
        seen.push([request.method, request.url, body]);
        response.end("heard");
      });
    }, "locked");
  const hook = { method: "POST", body: '{"event":"paid"}' };
  const path = `/echo?a=1&porthole_token=${token}&b=%2f`;
  const answer = await gateway.send(LOCKED, { ...hook, path });
  assert.equal(answer.status, 200);
  assert.doesNotMatch(answer.body, /pp_/);
  if (port === undefined) return; // that stack's runners know their own apps only
  const { token: other } = await makeToken(gateway, key, { ports: [8000] });
  const target = `/hook?a=1&porthole_token=${other}&b=%2f`;
  const heard = await gateway.send(port, { ...hook, path: target });
  assert.equal(heard.body, "heard");
  assert.deepEqual(seen, [["POST", "/hook?a=1&b=%2f", hook.body]]);
});

test("a token opens no other method than its own, and no sandbox but its own", async ({ gateway, key }) => {
  const { token } = await makeToken(gateway, key, { methods: ["GET"] });
  const other = await makeToken(gateway, key, { sandbox: "demo" });
  for (
    const [host, method, sent] of [
      [LOCKED, "POST", token],
      [`3001-locked.${BASE}`, "GET", token],
      [LOCKED, "GET", other.token],
    ] as const
  ) {
    const headers = { "x-porthole-token": sent };
    const { code } = await gateway.send(host, { method, headers });
    assert.equal(code, "grant_invalid", `${method} ${host}`);
  }
});

test("a token is listed with its last use, and its secret is told once only and kept nowhere", async ({ gateway, key }) => {
  const { token, id } = await makeToken(gateway, key, { note: "CI" });
  const list = { path: "?sandbox=locked" };
  const [before] = (await askApi(gateway, key, list)).json()["items"] as [
    Record<string, unknown>,
  ];
  assert.equal(before["lastUsedAt"], null);
  assert.equal(before["note"], "CI");
  assert.equal(typeof before["createdBy"], "string");
  await gateway.send(LOCKED, { headers: { "x-porthole-token": token } });
  const one = { path: `/${id}` };
  await assertEventually(async () => {
    const { lastUsedAt } = (await askApi(gateway, key, one)).json();
    return /^\d{4}-.*Z$/.test(String(lastUsedAt));
  }, "the use is noted");
  for (const request of [one, list]) {
    const { body } = await askApi(gateway, key, request);
    assert.doesNotMatch(body, /pp_|[Hh]ash/);
  }
});
