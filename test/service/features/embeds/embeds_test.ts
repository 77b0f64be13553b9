/** Embeds: who makes them, and what their codes open, tested on the complete service. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import type { FeatureModule } from "../../../../src/gateway/feature_module.ts";
import { FEATURES } from "../../../../src/modules.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { BASE, DEMO, LOCKED, startGateway } from "../../../support/gateway.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { nameSource } from "../../../support/names.ts";
import { testsOfMembers } from "../../../support/records_api.ts";
import { testRecordKind } from "../../../support/suites/record_kind.ts";
import {
  askApi,
  BUILDER,
  exchange,
  frameOf,
  makeEmbed,
  MEMBERS,
  OWN_PAGE,
  renewEmbed,
  startEmbedGateway,
  wish,
} from "./embed_gateway.ts";
import { ODD_ORIGINS } from "./odd_origins.ts";

testRecordKind({
  name: "embeds",
  settings: MEMBERS,
  wish: wish(),
  verbs: ["renew"],
  strangers: [[{ authorization: "Bearer pe_eyJmade.up" }, 401]],
  async whenOff({ send, stack: { runner } }) {
    await send(DEMO, { path: "/.porthole/embed" });
    const { target = "" } = runner.seen.at(-1) ?? {};
    assert.match(target, /\/\.porthole\/embed$/, "the path is the app's");
  },
});

const test = testsOfMembers(startEmbedGateway);

test("an embed's link is a page without content, whose code becomes a session of that port, of which the app sees nothing", async ({ gateway, key }) => {
  const { url, ...made } = await makeEmbed(gateway, key, { path: "/echo?a" });
  const { pathname, host } = new URL(url);
  assert.deepEqual([pathname, host], ["/.porthole/embed", LOCKED]);
  const page = await gateway.send(host, { path: pathname });
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.doesNotMatch(page.body, /locked|3000|pe_/);
  const head = await gateway.send(host, { path: pathname, method: "HEAD" });
  assert.deepEqual([head.status, head.body], [200, ""]);
  const answer = await exchange(gateway, url);
  assert.equal(answer.status, 200, answer.body);
  assert.deepEqual(answer.json(), {
    path: "/echo?a",
    ancestors: [BUILDER],
    port: 3000,
  });
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
  const headers = { ...OWN_PAGE, cookie };
  const app = await gateway.send(LOCKED, { path: "/echo", headers });
  assert.equal(app.status, 200, app.body);
  assert.doesNotMatch(app.body, /porthole/i);
  for (const other of [`8000-locked.${BASE}`, `2280-locked.${BASE}`]) {
    const { status } = await gateway.send(other, { path: "/", headers });
    assert.equal(status, 401, other);
  }
  const read = await askApi(gateway, key, { path: `/${made.id}` });
  assert.equal(read.json()["path"], "/echo?a");
  assert.doesNotMatch(read.body, /pe_|Token/);
});

test("a code is good once, at its own sandbox and port, and nowhere else", async ({ gateway, key }) => {
  const { url } = await makeEmbed(gateway, key);
  for (const host of [`3001-locked.${BASE}`, DEMO, `2280-locked.${BASE}`]) {
    const { status, code } = await exchange(gateway, url, { host });
    assert.deepEqual([status, code], [401, "grant_invalid"], host);
  }
  const code = new URL(url).hash.slice(1);
  for (
    const [path, headers] of [
      ["/echo", { "x-porthole-token": code }],
      ["/echo", { authorization: `Bearer ${code}` }],
      [`/echo?porthole_token=${code}`, {}],
    ] as const
  ) {
    const answer = await gateway.send(LOCKED, { path, headers });
    assert.equal(answer.code, "grant_invalid", path);
  }
  assert.equal((await exchange(gateway, url)).status, 200);
  const again = await exchange(gateway, url);
  assert.deepEqual([again.status, again.code], [401, "grant_invalid"]);
  assert.equal(again.headers.get("set-cookie"), null);
});

Deno.test("a code is over after a minute, also that of a renewal", async () => {
  using clock = fakeClock();
  await using gateway = await startEmbedGateway(startGateway);
  const embed = await makeEmbed(gateway, KEYS.user);
  const renewed = await renewEmbed(gateway, KEYS.user, embed);
  clock.pass(60_000);
  for (const { url } of [embed, renewed]) {
    assert.equal((await exchange(gateway, url)).code, "grant_invalid");
  }
});

test("a code opens nothing for another page than those that it is for, or that does not say which it is, and needs our own page", async ({ gateway, key }) => {
  for (
    const [headers, status, code] of [
      [{ "x-porthole-ancestor": "" }, 401, "frame_refused"],
      [
        { "x-porthole-ancestor": "https://other.example" },
        401,
        "frame_refused",
      ],
      [{ "x-porthole-ancestor": `${BUILDER}/` }, 401, "frame_refused"],
      [{ "x-porthole-ancestor": "null" }, 401, "frame_refused"],
      [{ "sec-fetch-site": "same-site" }, 403, "cross_site_request"],
      [{ "sec-fetch-site": "cross-site" }, 403, "cross_site_request"],
      [{ origin: BUILDER }, 403, "cross_site_request"],
      [{ "x-porthole-embed": "" }, 401, "grant_invalid"],
      [{ "x-porthole-embed": "pe_eyJmade.up" }, 401, "grant_invalid"],
      [{ "x-porthole-embed": "pp_made_up" }, 401, "grant_invalid"],
    ] as const
  ) {
    const { url } = await makeEmbed(gateway, key);
    const answer = await exchange(gateway, url, { headers });
    assert.deepEqual(
      [answer.status, answer.code, answer.headers.get("set-cookie")],
      [status, code, null],
      JSON.stringify(headers),
    );
  }
  const { url } = await makeEmbed(gateway, key);
  const silent = await gateway.send(LOCKED, {
    method: "POST",
    path: "/.porthole/embed",
    headers: {
      "x-porthole-ancestor": BUILDER,
      "x-porthole-embed": new URL(url).hash.slice(1),
    },
  });
  assert.equal(silent.code, "cross_site_request");
});

Deno.test("a browser that says nothing but its page's origin exchanges a code, too", async () => {
  await using gateway = await startEmbedGateway(startGateway);
  const { url } = await makeEmbed(gateway, KEYS.user);
  const { host, origin, hash } = new URL(url);
  const { status } = await gateway.send(host, {
    method: "POST",
    path: "/.porthole/embed",
    headers: {
      origin,
      "x-porthole-ancestor": BUILDER,
      "x-porthole-embed": hash.slice(1),
    },
  });
  assert.equal(status, 200);
});

Deno.test("a code is exchanged over HTTP/2, too", async () => {
  await using gateway = await startEmbedGateway(startGateway);
  const { url } = await makeEmbed(gateway, KEYS.user);
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/.porthole/embed",
    ":authority": LOCKED,
    ":scheme": "http",
    ...OWN_PAGE,
    "x-porthole-ancestor": BUILDER,
    "x-porthole-embed": new URL(url).hash.slice(1),
  });
  const closed = once(session, "close");
  const ended = once(stream, "close");
  stream.end();
  const [headers] = await once(stream, "response");
  stream.resume();
  await ended;
  session.destroy();
  await closed;
  assert.equal(headers[":status"], 200);
  assert.match(String(headers["set-cookie"]), /^porthole-grant=/);
});

test("two hundred odd origins are refused as ancestors, and so are none, too many and the same twice", async ({ gateway, key }) => {
  assert(ODD_ORIGINS.length >= 200, String(ODD_ORIGINS.length));
  const lists = [
    ...ODD_ORIGINS.map((each) => [each]),
    [],
    Array.from({ length: 9 }, (_, i) => `https://a${i}.example`),
    [BUILDER, BUILDER],
    [BUILDER, "null"],
  ];
  for (const ancestors of lists) {
    const body = wish({ ancestors });
    const answer = await askApi(gateway, key, { method: "POST", body });
    const given = JSON.stringify(ancestors);
    assert.deepEqual(
      [answer.status, answer.code],
      [400, "invalid_request"],
      given,
    );
    assert.match(answer.body, /"path":"\/ancestors/, given);
  }
  for (
    const ancestor of [
      "https://app.example",
      "https://app.example:8443",
      "https://xn--bcher-kva.example",
      "https://a",
      "http://localhost:5173",
      "http://shop.localhost:5173",
    ]
  ) await makeEmbed(gateway, key, { ancestors: [ancestor] });
});

test("a renewal gives a new code, lasts as long as was asked for at first, and takes an empty object only", async ({ gateway, key }) => {
  const embed = await makeEmbed(gateway, key);
  const renewed = await renewEmbed(gateway, key, embed);
  assert.notEqual(renewed.url, embed.url);
  assert(renewed.expiresAt >= embed.expiresAt);
  const read = await askApi(gateway, key, { path: `/${embed.id}` });
  assert.equal(read.json()["expiresAt"], renewed.expiresAt);
  for (const { url } of [embed, renewed]) {
    assert.equal((await exchange(gateway, url)).status, 200);
  }
  const path = `/${embed.id}/renew`;
  const body = { ttlSec: 86_400 };
  const odd = await askApi(gateway, key, { method: "POST", path, body });
  assert.equal(odd.code, "invalid_request");
  const none = await askApi(gateway, key, { method: "POST", path });
  assert.equal(none.code, "unsupported_media_type");
  const unknown = { id: "AAECAwQFBgcICQoLDA0ODw" };
  await assert.rejects(renewEmbed(gateway, key, unknown), /not_found/);
});

test("all below /.porthole/ of a preview host is the gateway's, and reaches no app", async ({ gateway }) => {
  for (
    const [method, path, status, code] of [
      ["GET", "/.porthole/", 404, "route_not_found"],
      ["GET", "/.porthole/embed/", 404, "route_not_found"],
      ["GET", "/.porthole/other?a", 404, "route_not_found"],
      ["POST", "/.porthole/x", 404, "route_not_found"],
      ["PUT", "/.porthole/embed", 405, "method_not_allowed"],
      ["OPTIONS", "/.porthole/embed", 405, "method_not_allowed"],
      ["DELETE", "/.porthole/state", 405, "method_not_allowed"],
    ] as const
  ) {
    const answer = await gateway.send(DEMO, { method, path });
    assert.deepEqual([answer.status, answer.code], [status, code], path);
  }
  assert.deepEqual(gateway.stack.runner.seen, []);
});

Deno.test("over https the session is one for frames of other sites, and lasts an hour longer than the embed, so that the end is heard", async () => {
  await using gateway = await startEmbedGateway(startGateway, {
    PROXY_PROTOCOL: "https",
  });
  const { url } = await makeEmbed(gateway, KEYS.user);
  assert.match(url, /^https:/);
  const { headers } = await exchange(gateway, url);
  const line = headers.get("set-cookie") ?? "";
  const [, maxAge] = /Max-Age=(\d+)/.exec(line) ?? [];
  assert(Math.abs(Number(maxAge) - 4200) <= 5, line);
  assert.match(
    line,
    /^__Host-porthole-grant=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=None; Secure; Partitioned$/,
  );
});

Deno.test("a bridge is for gateways that have one", async () => {
  for (
    const [EMBED_BRIDGE, status] of [["false", 400], ["true", 201]] as const
  ) {
    await using gateway = await startEmbedGateway(startGateway, {
      EMBED_BRIDGE,
    });
    const body = wish({ bridge: ["errors"] });
    const answer = await askApi(gateway, KEYS.user, { method: "POST", body });
    assert.equal(answer.status, status, answer.body);
  }
});

test("an embed of a public preview opens, too", async ({ gateway, key }) => {
  const { url } = await makeEmbed(gateway, key, { sandbox: "demo" });
  const headers = await frameOf(gateway, url);
  const { status } = await gateway.send(DEMO, { path: "/echo", headers });
  assert.equal(status, 200);
});

Deno.test("a code opens its sandbox at the host of its name, too, where previews have names", async () => {
  await using gateway = await startEmbedGateway(startHostedGateway);
  const id = "0f6e9a52-7f0f-4c1a-9b57-3a51c4f3b001";
  const { api: { state }, runner: { containers } } = gateway.stack;
  state.sandboxes.set(id, {
    ...gateway.stack.api.sandbox("locked"),
    id,
    name: "shop",
  });
  containers.set(id, containers.get("locked") ?? assert.fail("none"));
  for (const ids of state.users.values()) ids.add(id);
  const embed = await makeEmbed(gateway, HOSTED_KEYS.member, {
    sandbox: "shop",
  });
  assert.equal(new URL(embed.url).host, `3000-${id}.${BASE}`);
  const host = `3000-shop.${BASE}`;
  const answer = await exchange(gateway, embed.url, { host });
  assert.equal(answer.status, 200, answer.body);
  const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
  const headers = { ...OWN_PAGE, cookie };
  const app = await gateway.send(host, { path: "/echo", headers });
  assert.equal(app.status, 200);
  const path = "/.porthole/state";
  const told = await gateway.send(host, { path, headers });
  assert.equal(told.json()["ready"], true);
});

Deno.test("a frame whose link is opened at a name of its port has a session of that name alone, and one of the preview host none there", async () => {
  const shop = `shop.${BASE}`;
  const keeper: FeatureModule = {
    name: "keeper of a name",
    create() {
      const target = { sandboxId: "locked", port: 3000 };
      return { resolve: nameSource({ [shop]: target }) };
    },
  };
  await using gateway = await startEmbedGateway((environment) =>
    startGateway(environment, { features: [...FEATURES, keeper] })
  );
  for (const [made, other] of [[shop, LOCKED], [LOCKED, shop]] as const) {
    const { url } = await makeEmbed(gateway, KEYS.user);
    const answer = await exchange(gateway, url, { host: made });
    assert.equal(answer.status, 200, answer.body);
    const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
    const headers = { ...OWN_PAGE, cookie };
    for (const [host, isOpen] of [[made, true], [other, false]] as const) {
      const app = await gateway.send(host, { path: "/echo", headers });
      assert.equal(app.status, isOpen ? 200 : 401, `${made} at ${host}`);
      const path = "/.porthole/state";
      const told = await gateway.send(host, { path, headers });
      assert.equal(told.code, isOpen ? null : "frame_refused");
    }
  }
});

Deno.test("forged codes cost their client its budget, and no question to the API", async () => {
  using _ = fakeClock(); // no budget is refilled
  await using gateway = await startEmbedGateway(startGateway, {
    REFUSALS_PER_MINUTE: "5",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  const { url } = await makeEmbed(gateway, KEYS.user);
  const before = gateway.stack.api.calls.length;
  const codes: (string | null)[] = [];
  for (let i = 0; i < 8; i++) {
    const headers = {
      "x-porthole-embed": `pe_eyJforged${i}`,
      "x-forwarded-for": "192.0.2.1",
    };
    codes.push((await exchange(gateway, url, { headers })).code);
  }
  assert.deepEqual(
    new Set(codes),
    new Set(["grant_invalid", "too_many_refusals"]),
  );
  assert.equal(gateway.stack.api.calls.length, before);
  const headers = { "x-forwarded-for": "192.0.2.2" };
  assert.equal((await exchange(gateway, url, { headers })).status, 200);
});

Deno.test("making, use, refusal, renewal and end of an embed are logged and counted, and no code or token is", async () => {
  await using log = await collectLog();
  await using gateway = await startEmbedGateway((environment) =>
    startGateway(environment, { lines: log.lines })
  );
  const embed = await makeEmbed(gateway, KEYS.user);
  const headers = await frameOf(gateway, embed.url);
  assert.equal((await exchange(gateway, embed.url)).status, 401);
  const elsewhere = await makeEmbed(gateway, KEYS.user);
  await exchange(gateway, elsewhere.url, {
    headers: { "x-porthole-ancestor": "https://other.example" },
  });
  await gateway.send(LOCKED, { path: "/.porthole/state", headers });
  await gateway.send(LOCKED, {
    path: "/.porthole/state",
    headers: { authorization: `Bearer ${embed.stateToken}` },
  });
  const renewed = await renewEmbed(gateway, KEYS.user, embed);
  const path = `/${embed.id}`;
  await askApi(gateway, KEYS.user, { method: "DELETE", path });
  await log.next("record ended");
  const lines = log.records();
  const told = lines.map(({ message, kind, grant, id, code }) =>
    JSON.stringify({ message, kind, grant, id, code })
  );
  const { id } = embed;
  for (
    const expected of [
      { message: "record made", kind: "embeds", id },
      { message: "grant used", grant: id },
      { message: "record renewed", kind: "embeds", id },
      { message: "record ended", kind: "embeds", id },
      { message: "access refused", code: "grant_invalid" },
      {
        message: "access refused",
        grant: elsewhere.id,
        code: "frame_refused",
      },
    ]
  ) assert(told.includes(JSON.stringify(expected)), JSON.stringify(expected));
  assert(lines.some(({ route, by }) => route === "embed" && by === "embed"));
  const text = JSON.stringify(lines);
  for (const { url, stateToken } of [embed, elsewhere, renewed]) {
    assert(!text.includes(new URL(url).hash.slice(4)));
    assert(!text.includes(stateToken));
  }
  const metrics = gateway.service.renderMetrics();
  for (
    const [outcome, count] of [["made", 2], ["renewed", 1], [
      "ended",
      1,
    ]] as const
  ) {
    const sample = `via="embed",outcome="${outcome}"} ${count}`;
    assert(metrics.includes(sample), sample);
  }
});

Deno.test({
  name:
    "the warning asks in the frame, too, whose cookies it keeps: nothing is stuck",
  ignore: FEATURES.every(({ name }) => name !== "warning"),
  async fn() {
    await using gateway = await startEmbedGateway(startGateway, {
      PREVIEW_WARNING_ENABLED: "true",
      PROXY_PROTOCOL: "https",
    });
    const { url } = await makeEmbed(gateway, KEYS.user);
    const headers = {
      ...await frameOf(gateway, url),
      "accept": "text/html",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "iframe",
    };
    const asked = await gateway.send(LOCKED, { path: "/echo", headers });
    assert.equal(asked.headers.get("x-porthole-warning"), "1");
    const accepted = await gateway.send(LOCKED, {
      method: "POST",
      path: "/accept-daytona-preview-warning?redirect=%2Fecho",
      headers: { ...headers, "content-length": "0" },
    });
    assert.equal(accepted.status, 303);
    const line = accepted.headers.get("set-cookie") ?? "";
    assert.match(line, /SameSite=None; Secure; Partitioned$/);
    const cookie = `${headers.cookie}; ${line.split(";")[0]}`;
    const app = await gateway.send(LOCKED, {
      path: "/echo",
      headers: { ...headers, cookie },
    });
    assert.equal(app.headers.get("x-porthole-warning"), null);
    assert.equal(app.status, 200);
  },
});
