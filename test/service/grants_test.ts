/** Grants, by a source of the test's own: what they open, what they do not, and who never sees them. */
import assert from "node:assert/strict";
import { METRICS } from "../../src/observability/metrics/definitions.ts";
import { viaOf } from "../support/feature_words.ts";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { collectLog } from "../support/collected_log.ts";
import { fakeClock } from "../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { grantOf, withGrants } from "../support/grants.ts";
import { startHostedGateway } from "../support/hosted_gateway.ts";
import { startLoginGateway } from "../support/login_gateway.ts";
import { testByNameToo as test } from "../support/named_worlds.ts";

const GRANTS = withGrants();

/** What a browser sends to open a page. */
const NAVIGATION = { accept: "text/html", "sec-fetch-mode": "navigate" };

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

/** The ways to send a secret: a path and headers. */
function waysOf(secret: string): [string, Record<string, string>][] {
  return [
    ["/echo", { "x-porthole-token": secret }],
    [`/echo?porthole_token=${secret}`, {}],
    ["/echo", { authorization: `Bearer ${secret}` }],
  ];
}

/** The calls of the API that ask about somebody's credential. */
function questionsOf({ stack: { api } }: TestGateway): number {
  return api.count("hasSandboxAccess") + api.count("isValidAuthToken");
}

test("a grant opens its port by header, query and bearer, without a question to the API or a trace for the app", async (startGateway) => {
  await using gateway = await startGateway();
  GRANTS.grants.set("tg_good", grantOf());
  for (const [path, headers] of waysOf("tg_good")) {
    const answer = await gateway.send(LOCKED, { path, headers });
    assert.equal(answer.status, 200, answer.body);
    assert.doesNotMatch(answer.body, /tg_good|porthole/i);
    assert.equal(answer.json().url, "/echo");
  }
  assert.equal(questionsOf(gateway), 0);
});

test("a grant that is unknown, over or for another port, sandbox or method is 401, however it comes", async (startGateway) => {
  await using gateway = await startGateway();
  const { grants } = GRANTS;
  grants.set("tg_over", grantOf({ expiresAt: Date.now() - 1 }));
  grants.set("tg_port", grantOf({ ports: [3001, 8000] }));
  grants.set("tg_box", grantOf({ sandboxId: "demo" }));
  grants.set("tg_post", grantOf({ methods: ["POST"] }));
  for (
    const secret of ["tg_unknown", "tg_over", "tg_port", "tg_box", "tg_post"]
  ) {
    for (const [path, headers] of waysOf(secret)) {
      const refused = await gateway.send(LOCKED, { path, headers });
      assert.deepEqual([refused.status, refused.code], [401, "grant_invalid"]);
      const good = { ...headers, "x-daytona-preview-token": KEYS.lockedToken };
      const beside = await gateway.send(LOCKED, { path, headers: good });
      assert.equal(beside.status, 200);
      assert.doesNotMatch(beside.body, /tg_/);
    }
  }
  for (const secret of ["", "tg", "Bearer tg_good"]) {
    const headers = { "x-porthole-token": secret };
    const refused = await gateway.send(LOCKED, { headers });
    assert.equal(refused.code, "grant_invalid");
  }
});

test("no grant opens Daytona's own ports, whatever it names", async (startGateway) => {
  await using gateway = await startGateway();
  GRANTS.grants.set("tg_all", grantOf({ ports: [2280, 22222, 33333] }));
  for (const port of [2280, 22222, 33333]) {
    for (const [path, headers] of waysOf("tg_all")) {
      const host = `${port}-locked.${BASE}`;
      const { code } = await gateway.send(host, { path, headers });
      assert.equal(code, "grant_invalid");
    }
  }
});

Deno.test("toolbox and build logs take no grant, and the API never sees one", async () => {
  await using gateway = await startGateway();
  GRANTS.grants.set("tg_good", grantOf());
  const build = "00000000-0000-4000-8000-000000000000";
  for (
    const path of ["/toolbox/locked/echo", `/snapshots/${build}/build-logs`]
  ) {
    for (const [query, headers] of waysOf("tg_good")) {
      const target = path + query.replace("/echo", "");
      const answer = await gateway.send(BASE, { path: target, headers });
      assert.deepEqual([answer.status, answer.code], [401, "login_required"]);
    }
  }
  assert.equal(questionsOf(gateway), 0);
  assert.equal(gateway.stack.runner.seen.length, 0);
});

/** Spellings of a query parameter's name: each letter as it is or percent-encoded, in upper or lower case of the digits. */
function* spellingsOf(name: string, count: number): Iterable<string> {
  for (let i = 0; i < count; i++) {
    yield [...name].map((letter, at) => {
      if ((i * 2654435761 >>> at) % 2 === 0) return letter;
      const hex = letter.charCodeAt(0).toString(16);
      return `%${i % 2 === 0 ? hex : hex.toUpperCase()}`;
    }).join("");
  }
}

/** Spellings of a header's name: each letter in either case, hyphens as underscores. */
function* headersLike(name: string, count: number): Iterable<string> {
  for (let i = 0; i < count; i++) {
    yield [...name].map((letter, at) => {
      const isChanged = (i * 2654435761 >>> at) % 2 === 1;
      if (letter === "-") return isChanged ? "_" : "-";
      return isChanged ? letter.toUpperCase() : letter;
    }).join("");
  }
}

Deno.test("an app sees none of our fields in 1,000 spellings, on a public sandbox either, where nobody asks about them", async () => {
  await using gateway = await startGateway();
  const member = { authorization: `Bearer ${KEYS.user}` };
  const queries = [
    ...spellingsOf("porthole_token", 500),
    ...spellingsOf("porthole_cookie", 500),
  ];
  const names = [...headersLike("x-porthole-token", 1000)];
  assert(new Set(queries).size > 900 && new Set(names).size > 900);
  GRANTS.asked.length = 0;
  for (let i = 0; i < 1000; i += 25) {
    const query = queries.slice(i, i + 25).map((name) => `${name}=secret`);
    const path = `/echo?a=%zz&${query.join("&b&")}&c=;`;
    const ours = names.slice(i, i + 25).map((name) => [name, "secret"]);
    const referer = `http://${DEMO}/x?${query.join("&")}`;
    const fields = { ...Object.fromEntries(ours), referer };
    for (const [host, more] of [[DEMO, {}], [LOCKED, member]] as const) {
      const headers = { ...fields, ...more };
      const answer = await gateway.send(host, { path, headers });
      assert.equal(answer.status, 200, answer.body);
      assert.doesNotMatch(answer.body, /secret|porthole/i);
      assert.match(String(answer.json().url), /^\/echo\?a=%zz(&b)+&c=;$/);
    }
  }
  assert(GRANTS.asked.every(({ sandboxId }) => sandboxId === "locked"));
});

Deno.test("a bearer that is a grant reaches no app, whatever admits its request", async () => {
  await using gateway = await startGateway();
  const authorization = "Bearer tg_unknown";
  const token = { "x-daytona-preview-token": KEYS.lockedToken };
  for (const [host, more] of [[DEMO, {}], [LOCKED, token]] as const) {
    const headers = { authorization, ...more };
    const answer = await gateway.send(host, { path: "/echo", headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.echoed().get("authorization"), undefined);
  }
});

Deno.test("a grant names the id of a sandbox that is addressed by its name, asked for or not", async () => {
  await using gateway = await startHostedGateway({ PUBLIC: "never" });
  const id = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";
  const { api, runner } = gateway.stack;
  api.state.sandboxes.set(id, { ...api.sandbox("demo"), id, name: "my_shop" });
  for (const ids of api.state.users.values()) ids.add(id);
  const container = runner.containers.get("demo");
  if (container !== undefined) runner.containers.set(id, container);
  GRANTS.grants.set("tg_shop", grantOf({ id: "shop", sandboxId: id }));
  const host = `3000-my_shop.${BASE}`;
  for (const [path, headers] of waysOf("tg_shop")) {
    const answer = await gateway.send(host, { path, headers });
    assert.equal(answer.status, 200, answer.body);
  }
  const page = await gateway.send(host, {
    path: "/?porthole_token=tg_shop",
    headers: NAVIGATION,
  });
  const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
  const opened = await gateway.send(host, { headers: { cookie } });
  assert.equal(opened.status, 200);
});

test("a webhook by POST reaches the app once, with its body and without its token", async (startGateway) => {
  await using gateway = await startGateway();
  GRANTS.grants.set("tg_hook", grantOf({ methods: ["POST"] }));
  const answer = await gateway.send(LOCKED, {
    method: "POST",
    path: "/echo?event=push&porthole_token=tg_hook",
    headers: { accept: "*/*", "content-type": "application/json" },
    body: `{"ref":"main"}`,
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.json().url, "/echo?event=push");
  assert.match(answer.body, /ref.*main/);
  assert.equal(answer.headers.has("set-cookie"), false);
  assert.equal(gateway.stack.runner.seen.length, 1);
});

Deno.test("a navigation's token becomes a session of that port and the clean address, which opens it as long as the grant does", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway({ SESSION_TTL_SEC: "60" });
  const expiresAt = Date.now() + 90_000;
  GRANTS.grants.set("tg_once_page", grantOf({ id: "page", expiresAt }));
  const first = await gateway.send(LOCKED, {
    path: "/echo?a=%20+&porthole_token=tg_once_page&b",
    headers: NAVIGATION,
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
    /^porthole-grant=[^;]+; Path=\/; Max-Age=90; HttpOnly; SameSite=Lax$/,
  );
  const headers = { cookie: `${line.split(";")[0]}; app=1` };
  const open = (host: string) => gateway.send(host, { path: "/echo", headers });
  const page = await open(LOCKED);
  assert.equal(page.status, 200);
  assert.equal(page.echoed().get("cookie"), "app=1");
  const document = await gateway.send(LOCKED, { headers });
  assert.match(
    document.headers.get("content-security-policy") ?? "",
    /frame-ancestors 'self'/,
  );
  assert.equal((await open(`3001-locked.${BASE}`)).code, "login_required");
  assert.equal((await open(`22222-locked.${BASE}`)).code, "login_required");
  const sibling = { ...headers, origin: `http://${DEMO}` };
  const refused = await gateway.send(LOCKED, { headers: sibling });
  assert.equal(refused.code, "login_required");
  clock.pass(60_000);
  assert.equal((await open(LOCKED)).status, 200);
  clock.pass(30_000);
  assert.equal((await open(LOCKED)).code, "login_required");
});

Deno.test("over https a grant's session is bound to its host, and with porthole_cookie=none kept in frames of other sites", async () => {
  using _ = fakeClock();
  await using gateway = await startGateway({ PROXY_PROTOCOL: "https" });
  const expiresAt = Date.now() + 7_200_000;
  GRANTS.grants.set("tg_good", grantOf({ expiresAt }));
  for (
    const [wish, attributes] of [
      ["", "SameSite=Lax; Secure"],
      ["&porthole_cookie=none", "SameSite=None; Secure; Partitioned"],
      ["&porthole_cookie=None", "SameSite=Lax; Secure"],
    ] as const
  ) {
    const { headers } = await gateway.send(LOCKED, {
      path: `/?porthole_token=tg_good${wish}`,
      headers: NAVIGATION,
    });
    assert.equal(headers.get("location"), `https://${LOCKED}/`);
    const [pair, ...rest] = headers.get("set-cookie")?.split("; ") ?? [];
    assert.match(pair ?? "", /^__Host-porthole-grant=/);
    assert.equal(
      rest.join("; "),
      `Path=/; Max-Age=7200; HttpOnly; ${attributes}`,
    );
  }
});

Deno.test("a program's GET is answered where a browser's is redirected", async () => {
  await using gateway = await startGateway();
  GRANTS.grants.set("tg_good", grantOf());
  for (const accept of ["*/*", "application/json"]) {
    const answer = await gateway.send(LOCKED, {
      path: "/echo?porthole_token=tg_good",
      headers: { accept },
    });
    assert.equal(answer.status, 200);
  }
});

Deno.test("what comes ahead of its visitor is 503 with a token in its query, and uses nothing up", async () => {
  await using gateway = await startGateway();
  GRANTS.grants.set("tg_once_link", grantOf());
  GRANTS.asked.length = 0;
  const path = "/echo?porthole_token=tg_once_link";
  for (const purpose of ["prefetch", "prefetch;prerender"]) {
    const headers = { ...NAVIGATION, "sec-purpose": purpose };
    const answer = await gateway.send(LOCKED, { path, headers });
    assert.deepEqual([answer.status, answer.code], [503, "prefetch_refused"]);
  }
  // A preflight carries the same target.
  await gateway.send(LOCKED, {
    method: "OPTIONS",
    path,
    headers: {
      origin: "https://elsewhere.example",
      "access-control-request-method": "POST",
    },
  });
  assert.deepEqual(GRANTS.asked, []);
  const opened = await gateway.send(LOCKED, { path, headers: NAVIGATION });
  assert.equal(opened.status, 303);
});

Deno.test("whoever comes with a grant that is no good is told so, and led to the login by a link only", async () => {
  await using gateway = await startLoginGateway();
  const path = "/?porthole_token=tg_unknown";
  const page = await gateway.send(LOCKED, { path, headers: NAVIGATION });
  assert.deepEqual([page.status, page.code], [401, "grant_invalid"]);
  assert.match(page.body, /Log in instead/);
  assert.doesNotMatch(page.body, /tg_unknown/);

  // The session of a grant that was revoked, too.
  GRANTS.grants.set("tg_revoked", grantOf({ id: "revoked" }));
  const opened = await gateway.send(LOCKED, {
    path: "/?porthole_token=tg_revoked",
    headers: NAVIGATION,
  });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  GRANTS.grants.delete("tg_revoked");
  const headers = { ...NAVIGATION, cookie };
  const refused = await gateway.send(LOCKED, { headers });
  assert.deepEqual([refused.status, refused.code], [401, "grant_invalid"]);
});

for (const way of ["header", "query", "bearer", "session"]) {
  Deno.test(`a WebSocket by a grant (${way}) stays open while it stands, and is cut by the recheck when it ends`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway();
    const secret = `tg_once_${way}`;
    GRANTS.grants.set(secret, grantOf({ id: way }));
    let path = "/ws";
    const headers: Record<string, string> = { host: LOCKED };
    if (way === "header") headers["x-porthole-token"] = secret;
    if (way === "bearer") headers.authorization = `Bearer ${secret}`;
    if (way === "query") path += `?porthole_token=${secret}`;
    if (way === "session") {
      const page = await gateway.send(LOCKED, {
        path: `/?porthole_token=${secret}`,
        headers: NAVIGATION,
      });
      headers.cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
    }
    const url = `ws://127.0.0.1:${gateway.port}${path}`;
    const socket = new WebSocket(url, [], { headers });
    await once(socket, "open");
    clock.pass(RECHECK_MS);
    socket.send("still there");
    const closed = once(socket, "close");
    const [echo] = await Promise.race([once(socket, "message"), closed]);
    assert.equal(String(echo), "still there");
    GRANTS.grants.delete(secret);
    clock.pass(RECHECK_MS);
    assert.equal((await closed)[0], 1008);
  });
}

Deno.test("forged grants cost their client alone", async () => {
  await using gateway = await startGateway({
    TRUSTED_PROXIES: "127.0.0.1/32",
    REFUSALS_PER_MINUTE: "5",
  });
  GRANTS.grants.set("tg_good", grantOf());
  GRANTS.isMetered = true;
  using _ = { [Symbol.dispose]: () => void (GRANTS.isMetered = false) };
  const codes: (string | null)[] = [];
  for (let i = 0; i < 20; i++) {
    const headers = {
      "x-forwarded-for": "192.0.2.1",
      "x-porthole-token": `tg_forged_${i}`,
    };
    codes.push((await gateway.send(LOCKED, { headers })).code);
  }
  assert.equal(codes.at(-1), "too_many_refusals");
  for (const client of ["192.0.2.1", "192.0.2.2"]) {
    const headers = { "x-forwarded-for": client };
    const opened = await gateway.send(LOCKED, {
      headers: { ...headers, "x-porthole-token": "tg_good" },
    });
    assert.equal(opened.status, 200);
    const refused = await gateway.send(LOCKED, {
      headers: { ...headers, "x-porthole-token": "tg_other" },
    });
    const isItsOwn = client === "192.0.2.1";
    assert.equal(
      refused.code,
      isItsOwn ? "too_many_refusals" : "grant_invalid",
    );
  }
  assert.equal(questionsOf(gateway), 0);
});

Deno.test("1,000 forged grants cost no call of the API", async () => {
  await using gateway = await startGateway();
  await gateway.send(LOCKED); // it is known to be private
  const { api } = gateway.stack;
  const asked = () => questionsOf(gateway) + api.count("isSandboxPublic");
  const before = asked();
  for (let i = 0; i < 1000; i++) {
    const headers = { "x-porthole-token": `tg_forged_${i}` };
    const { code } = await gateway.send(LOCKED, { headers });
    assert.equal(code, "grant_invalid");
  }
  assert.equal(asked(), before);
});

Deno.test("the log tells by what a grant was carried, its first use of an hour and its refusals, and never a secret", async () => {
  await using log = await collectLog();
  await using gateway = await startGateway({}, { lines: log.lines });
  const subject = "ci:acme";
  GRANTS.grants.set(
    "tg_seen",
    grantOf({ via: viaOf("ticket"), id: "g1", subject }),
  );
  for (const port of [3000, 3000, 3001]) {
    const headers = { "x-porthole-token": "tg_seen" };
    const host = `${port}-locked.${BASE}`;
    await gateway.send(host, { path: "/echo", headers });
  }
  await gateway.send(LOCKED, { path: "/echo?porthole_token=tg_unknown" });
  const told = log.records().map((line) => [
    line.message,
    line.port,
    line.by,
    line.subject,
    line.via,
    line.grant,
    line.code ?? line.error,
  ]);
  const none = undefined;
  assert.deepEqual(told, [
    ["grant used", 3000, none, subject, "ticket", "g1", none],
    ["request", 3000, "ticket", subject, none, none, none],
    ["request", 3000, "ticket", subject, none, none, none],
    ["access refused", 3001, none, none, "ticket", "g1", "grant_invalid"],
    ["request", 3001, none, none, none, none, "grant_invalid"],
    ["access refused", 3000, none, none, none, none, "grant_invalid"],
    ["request", 3000, none, none, none, none, "grant_invalid"],
  ]);
  assert.doesNotMatch(JSON.stringify(log.records()), /tg_/);
  const metrics = gateway.service.renderMetrics();
  const known: readonly string[] = METRICS.grants.labels.via;
  const ticket = known.includes("ticket") ? "ticket" : "other";
  for (
    const [via, outcome, count] of [
      [ticket, "admitted", 2],
      [ticket, "refused", 1],
      ["unknown", "refused", 1],
    ] as const
  ) {
    const name = `porthole_grants_total{via="${via}",outcome="${outcome}"}`;
    assert(metrics.includes(`${name} ${count}\n`), name);
  }
});

Deno.test("with TOOLBOX_TAKES_PREVIEW_TOKEN=false, a preview token opens apps and no shell, however it comes", async () => {
  for (const isTaken of [true, false]) {
    await using gateway = await startGateway({
      TOOLBOX_TAKES_PREVIEW_TOKEN: String(isTaken),
    });
    const token = KEYS.lockedToken;
    const query = `?DAYTONA_SANDBOX_AUTH_KEY=${token}`;
    const link = await gateway.send(LOCKED, {
      path: `/${query}`,
      headers: NAVIGATION,
    });
    const cookie = link.headers.get("set-cookie")?.split(";")[0] ?? "";
    const ways: [string, Record<string, string>][] = [
      ["", { "x-daytona-preview-token": token }],
      [query, {}],
      ["", { cookie }],
    ];
    for (const [query, headers] of ways) {
      const app = await gateway.send(LOCKED, { path: `/${query}`, headers });
      assert.notEqual(app.status, 401);
      for (const port of [2280, 22222, 33333]) {
        const host = `${port}-locked.${BASE}`;
        const { status } = await gateway.send(host, {
          path: `/${query}`,
          headers,
        });
        assert.equal(status !== 401, isTaken, `${port} ${query}`);
      }
      const isCookie = headers.cookie !== undefined;
      const path = `/toolbox/locked/echo${query}`;
      const toolbox = await gateway.send(BASE, { path, headers });
      assert.equal(toolbox.status !== 401, isTaken && !isCookie);
    }
    const bearer = { authorization: `Bearer ${KEYS.user}` };
    const path = "/toolbox/locked/echo";
    const member = await gateway.send(BASE, { path, headers: bearer });
    assert.notEqual(member.status, 401);
  }
});
