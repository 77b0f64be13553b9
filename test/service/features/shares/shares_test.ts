/** Share links: what they open and what they do not, and who makes them, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { BASE, LOCKED, startGateway } from "../../../support/gateway.ts";
import { testsOfMembers } from "../../../support/records_api.ts";
import { testRecordKind } from "../../../support/suites/record_kind.ts";
import {
  askApi,
  follow,
  makeShare,
  MEMBERS,
  NAVIGATION,
  openedBy,
  press,
  startShareGateway,
} from "./share_gateway.ts";

testRecordKind({
  name: "shares",
  settings: MEMBERS,
  wish: { sandbox: "locked", port: 3000 },
  async whenOff({ send }) {
    const page = await send(BASE, { path: `/s/${"A".repeat(22)}` });
    assert.equal(page.code, "route_not_found");
  },
});

const test = testsOfMembers(startShareGateway);

test("a press opens the shared port, at the path that was shared, and the app sees nothing of it", async ({ gateway, key }) => {
  const share = await makeShare(gateway, key, { path: "/echo?a=1#top" });
  const pressed = await press(gateway, share);
  assert.equal(pressed.status, 200, pressed.body);
  assert.equal(pressed.headers.get("cache-control"), "no-store");
  assert.match(String(pressed.json()["location"]), /^[^#]*#top$/);
  const arrived = await follow(gateway, pressed);
  assert.equal(arrived.status, 303);
  const location = `http://${LOCKED}/echo?a=1`;
  assert.equal(arrived.headers.get("location"), location);
  const cookie = arrived.headers.get("set-cookie")?.split(";")[0] ?? "";
  const shown = await gateway.send(LOCKED, {
    path: "/echo?a=1",
    headers: { cookie },
  });
  assert.equal(shown.status, 200);
  assert.doesNotMatch(shown.body, /porthole|ps_/);
  assert(!shown.body.includes(share.secret));
});

test("the address that a press leads to is good once, for a navigation to its port only", async ({ gateway, key }) => {
  const share = await makeShare(gateway, key);
  const pressed = await press(gateway, share);
  const { search } = new URL(String(pressed.json()["location"]));
  const code = search.slice("?porthole_token=".length);
  const headers = NAVIGATION;
  const other = await makeShare(gateway, key, { sandbox: "demo" });
  const { location } = (await press(gateway, other)).json();
  const { search: foreign } = new URL(String(location));
  for (
    const [host, sent] of [
      [LOCKED, { path: `/${foreign}`, headers }],
      [`3001-locked.${BASE}`, { path: `/${search}`, headers }],
      [LOCKED, { headers: { ...headers, "x-porthole-token": code } }],
      [LOCKED, { headers: { authorization: `Bearer ${code}` } }],
    ] as const
  ) {
    const refused = await gateway.send(host, sent);
    assert.equal(refused.code, "grant_invalid");
  }
  const ahead = { ...headers, "sec-purpose": "prefetch" };
  const early = { path: `/${search}`, headers: ahead };
  assert.equal((await gateway.send(LOCKED, early)).code, "prefetch_refused");
  assert.equal((await follow(gateway, pressed)).status, 303);
  const again = await follow(gateway, pressed);
  assert.deepEqual([again.status, again.code], [401, "grant_invalid"]);
});

test("members see all of a share but its secrets, which are told once or never", async ({ gateway, key }) => {
  const made = await askApi(gateway, key, {
    method: "POST",
    body: {
      sandbox: "locked",
      port: 3000,
      passcode: "open sesame",
      uses: 3,
      note: "for the board",
    },
  });
  assert.equal(made.status, 201, made.body);
  const { url, ...told } = made.json();
  const { id } = told;
  assert.match(
    String(url),
    new RegExp(`^http://${BASE}/s/${id}#[A-Za-z0-9_-]{43}$`),
  );
  assert.equal(made.headers.get("location"), `/api/v1/shares/${id}`);
  const week = 7 * 86_400_000;
  const { createdAt, expiresAt, createdBy } = told;
  const life = Date.parse(String(expiresAt)) - Date.parse(String(createdAt));
  assert.equal(life, week);
  assert.equal(typeof createdBy, "string");
  const { sandboxId } = told;
  assert.deepEqual(told, {
    id,
    sandboxId,
    createdAt,
    createdBy,
    expiresAt,
    note: "for the board",
    port: 3000,
    path: "/",
    emails: null,
    uses: 3,
    usesLeft: 3,
    hasPasscode: true,
    isShut: false,
  });
  for (const path of [`/${id}`, "?sandbox=locked"]) {
    const { body } = await askApi(gateway, key, { path });
    assert(body.includes(String(id)));
    assert.doesNotMatch(body, /[Hh]ash|sesame|"url"/);
  }
});

test("a share is refused that leads elsewhere, or asks for what cannot be, with the reason", async ({ gateway, key }) => {
  for (
    const [differences, path] of [
      [{ path: "//evil.example" }, "/path"],
      [{ path: "/\\evil.example" }, "/path"],
      [{ path: "https://evil.example/" }, "/path"],
      [{ path: "evil" }, "/path"],
      [{ path: "/a\tb" }, "/path"],
      [{ path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}` }, "/path"],
      [{ path: "/?porthole_token=pp_other" }, "/path"],
      [{ port: 2280 }, "/port"],
      [{ port: 22_222 }, "/port"],
      [{ port: 33_333 }, "/port"],
      [{ port: 0 }, "/port"],
      [{ expiresInSec: 0 }, "/expiresInSec"],
      [{ expiresInSec: 30 * 86_400 + 1 }, "/expiresInSec"],
      [{ passcode: "short" }, "/passcode"],
      [{ emails: [] }, "/emails"],
      [{ emails: ["@example.com"] }, "/emails/0"],
      [{ uses: 0 }, "/uses"],
      [{ uses: 1.5 }, "/uses"],
      [{ wakes: true }, "/wakes"],
    ] as const
  ) {
    const body = { sandbox: "locked", port: 3000, ...differences };
    const { status, json } = await askApi(gateway, key, {
      method: "POST",
      body,
    });
    const [{ path: named }] = json()["errors"] as [{ path: string }];
    assert.deepEqual([status, named], [400, path]);
  }
});

test("to whoever does not know the secret, no share is there, and what has ended never was", async ({ gateway, key }) => {
  const share = await makeShare(gateway, key);
  const cookie = await openedBy(gateway, share);
  const answers = [
    await press(gateway, { ...share, secret: "x".repeat(43) }),
    await press(gateway, { ...share, id: "A".repeat(22) }),
  ];
  const ended = { method: "DELETE", path: `/${share.id}` };
  assert.equal((await askApi(gateway, key, ended)).status, 204);
  answers.push(await press(gateway, share));
  for (const { status, code, body, headers } of answers) {
    assert.deepEqual([status, code], [401, "share_invalid"]);
    const { requestId: _, ...said } = JSON.parse(body);
    const { requestId: _first, ...first } = answers[0]?.json() ?? {};
    assert.deepEqual(said, first);
    assert.equal(headers.get("cache-control"), "no-store");
  }
  const after = await gateway.send(LOCKED, { headers: { cookie } });
  assert.deepEqual([after.status, after.code], [401, "grant_invalid"]);
});

Deno.test("the operator bounds the life of shares", async () => {
  await using gateway = await startShareGateway(startGateway, {
    SHARE_MAX_SEC: "3600",
  });
  const share = { sandbox: "locked", port: 3000 };
  async function send(differences: object) {
    const body = { ...share, ...differences };
    return await askApi(gateway, KEYS.user, { method: "POST", body });
  }
  assert.equal((await send({ expiresInSec: 3601 })).code, "invalid_request");
  const { createdAt, expiresAt } = (await send({})).json();
  const life = Date.parse(String(expiresAt)) - Date.parse(String(createdAt));
  assert.equal(life, 3_600_000);
});

Deno.test("a share of a sandbox that is public leads to it, too", async () => {
  await using gateway = await startShareGateway(startGateway);
  const share = await makeShare(gateway, KEYS.user, { sandbox: "demo" });
  const arrived = await follow(gateway, await press(gateway, share));
  assert.equal(arrived.status, 303);
  assert.equal(arrived.headers.get("location"), `http://3000-demo.${BASE}/`);
  assert.equal(arrived.headers.get("set-cookie"), null);
});
