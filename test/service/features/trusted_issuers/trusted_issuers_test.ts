/** JWTs of trusted issuers, on the complete service. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket } from "ws";
import { listenOnLoopback } from "../../../../scripts/stand_in/loopback.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { SKEW_SEC } from "../../../../src/features/trusted_issuers/ticket.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { BASE, DEMO, LOCKED, startGateway } from "../../../support/gateway.ts";
import { createIssuer, type TestIssuer } from "../../../support/issuer.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { startRecordsGateway } from "../../../support/records_api.ts";
import { testGrantCarrier } from "../../../support/suites/grant_carrier.ts";
import {
  type StartGateway,
  testInBothWorlds as test,
} from "../../../support/worlds.ts";
import { rulesOf } from "./rules_of.ts";

const ISSUER = "https://shop.example.com";
const AUDIENCE = "https://preview.example.com";

/** A sandbox's id of the real form. */
const ID = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";

const RULE = {
  kind: "minting",
  issuer: ISSUER,
  audience: AUDIENCE,
  sandboxes: { product: "shop" },
  ports: [3000, 8000],
};

const NAVIGATION = {
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-site": "none",
  accept: "text/html",
};

/** A ticket for port 3000 of `locked` that is good for ten minutes, or as long as is said. */
function ticketOf(
  { sign }: TestIssuer,
  porthole: object = { sandbox: "locked", ports: [3000] },
  lastsSec = 600,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const jti = crypto.randomUUID();
  const claims = {
    sub: "user-7",
    iat: now,
    exp: now + lastsSec,
    jti,
    porthole,
  };
  return sign({ iss: ISSUER, aud: AUDIENCE, ...claims });
}

/** Serves the keys of an issuer, which tests may replace, and counts how often. */
async function serveKeys(issuer: TestIssuer) {
  const state = { issuer, status: 200, asked: 0 };
  const loopback = await listenOnLoopback(createServer((_, response) => {
    state.asked++;
    response.writeHead(state.status, { "content-type": "application/json" })
      .end(JSON.stringify(state.issuer.jwks));
  }));
  const { url, [Symbol.asyncDispose]: stop } = loopback;
  return { state, url: `${url}/jwks`, [Symbol.asyncDispose]: stop };
}

/** A gateway that trusts an issuer for sandboxes of its product, of which `locked` is one. */
async function startTrusting(
  { jwks }: Pick<TestIssuer, "jwks"> | { jwks: string },
  environment: Record<string, string> = {},
  start: StartGateway = startGateway,
) {
  await using started = new AsyncDisposableStack();
  const file = started.use(await rulesOf({ ...RULE, jwks }));
  const gateway = started.use(
    await start({ TRUSTED_ISSUERS_FILE: file.path, ...environment }),
  );
  const sandbox = gateway.stack.api.state.sandboxes.get("locked");
  assert(sandbox);
  sandbox.labels = { product: "shop", stage: "test" };
  const owned = started.move();
  return {
    ...gateway,
    file,
    sandbox,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test("a ticket opens its port as a bearer, by header and by query, and nobody else hears of it", async (start) => {
  const issuer = await createIssuer();
  await using gateway = await startTrusting(issuer, {}, start);
  const { api } = gateway.stack;
  for (const place of ["bearer", "header", "query"] as const) {
    const ticket = await ticketOf(issuer);
    const { status, body } = await gateway.send(LOCKED, {
      path: place === "query" ? `/echo?porthole_token=${ticket}&a=1` : "/echo",
      headers: {
        ...place === "bearer" && { authorization: `Bearer ${ticket}` },
        ...place === "header" && { "x-porthole-token": ticket },
      },
    });
    assert.equal(status, 200, place);
    assert(!body.includes(ticket.slice(0, 40)), place);
    const [, signature] = /\.([\w-]+)$/.exec(ticket) ?? [];
    assert(!body.includes(signature ?? ""), place);
  }
  assert.equal(api.count("hasSandboxAccess"), 0);
  assert.equal(api.count("isValidAuthToken"), 0);
  // Once for its labels and once or twice for where it is: both are cached.
  assert(api.count("getSandbox") <= 3);
});

const SHOPS = await createIssuer();

testGrantCarrier({
  one: "a ticket",
  start: (start, environment) =>
    startTrusting(
      SHOPS,
      environment,
      (differences = {}) => startRecordsGateway(start, differences),
    ),
  // The clocks of issuers may be so far behind.
  make: (_gateway, _key, lastsSec = 600) =>
    ticketOf(
      SHOPS,
      { sandbox: "locked", ports: [3000] },
      lastsSec - SKEW_SEC,
    ),
  open: (_, ticket) => Promise.resolve({ authorization: `Bearer ${ticket}` }),
  secretsOf: (_, ticket) => Promise.resolve([ticket]),
});

Deno.test("in front of somebody else's Daytona, a ticket names the id of a sandbox, whose host may have its name", async () => {
  const issuer = await createIssuer();
  await using gateway = await startTrusting(issuer, {}, startHostedGateway);
  const { api, runner } = gateway.stack;
  const container = runner.containers.get("locked");
  assert(container);
  runner.containers.set(ID, container);
  api.state.sandboxes.set(ID, { ...gateway.sandbox, id: ID, name: "shop-app" });
  for (const ids of api.state.users.values()) ids.add(ID);
  for (const [sandbox, status] of [[ID, 200], ["shop-app", 401]] as const) {
    const ticket = await ticketOf(issuer, { sandbox, ports: [3000] });
    for (const label of [ID, "shop-app"]) {
      const answer = await gateway.send(`3000-${label}.${BASE}`, {
        headers: { authorization: `Bearer ${ticket}` },
      });
      assert.equal(answer.status, status, `${sandbox} at ${label}`);
    }
  }
});

Deno.test("a browser gets a session for a ticket in its address, which is good once", async () => {
  const issuer = await createIssuer();
  await using gateway = await startTrusting(issuer);
  const path = `/echo?a=1&porthole_token=${await ticketOf(issuer)}`;
  const first = await gateway.send(LOCKED, { path, headers: NAVIGATION });
  assert.equal(first.status, 303);
  const location = first.headers.get("location") ?? "";
  assert.equal(
    new URL(location).pathname + new URL(location).search,
    "/echo?a=1",
  );
  const [cookie = ""] = first.headers.getSetCookie();
  const headers = { ...NAVIGATION, cookie: cookie.split(";")[0] ?? "" };
  const app = await gateway.send(LOCKED, { path: "/echo?a=1", headers });
  assert.equal(app.status, 200);

  const again = await gateway.send(LOCKED, { path, headers: NAVIGATION });
  assert.deepEqual([again.status, again.code], [401, "grant_invalid"]);
});

Deno.test("a webhook's POST with a ticket in its address reaches the app once, without it", async () => {
  const issuer = await createIssuer();
  await using gateway = await startTrusting(issuer);
  const path = `/echo?porthole_token=${await ticketOf(issuer)}`;
  const hook = { method: "POST", path, body: "paid" };
  const { status, body } = await gateway.send(LOCKED, hook);
  assert.equal(status, 200);
  assert.doesNotMatch(body, /porthole_token/);
  assert.equal((await gateway.send(LOCKED, hook)).code, "grant_invalid");
});

Deno.test("of all who use a link with a ticket at once, one is let in", async () => {
  const issuer = await createIssuer();
  await using gateway = await startTrusting(issuer);
  const path = `/echo?porthole_token=${await ticketOf(issuer)}`;
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => gateway.send(LOCKED, { path })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).sort(),
    [200, 401, 401, 401, 401],
  );
});

Deno.test("a session and a WebSocket end soon after the sandbox's label, or the rule", async () => {
  for (const what of ["label", "rule"]) {
    using clock = fakeClock();
    const issuer = await createIssuer();
    await using gateway = await startTrusting(issuer, { RUNNER_TTL_SEC: "1" });
    const path = `/?porthole_token=${await ticketOf(issuer)}`;
    const { headers } = await gateway.send(LOCKED, {
      path,
      headers: NAVIGATION,
    });
    const cookie = (headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
    const session = { headers: { cookie } };
    assert.equal((await gateway.send(LOCKED, session)).status, 200);
    const url =
      `ws://127.0.0.1:${gateway.port}/ws?porthole_token=${await ticketOf(
        issuer,
      )}`;
    const socket = new WebSocket(url, { headers: { host: LOCKED } });
    await once(socket, "open");
    // It is looked at again, and lasts.
    clock.pass(30_000);
    assert.equal((await gateway.send(LOCKED, session)).status, 200);
    assert.equal(socket.readyState, socket.OPEN);

    if (what === "label") gateway.sandbox.labels = { product: "bank" };
    else await gateway.file.write([]);
    const closed = once(socket, "close");
    clock.pass(5000);
    clock.pass(25_000);
    await closed;
    const { status, code } = await gateway.send(LOCKED, session);
    assert.notEqual(status, 200, what);
    assert.equal(code, "grant_invalid", what);
  }
});

Deno.test("keys are fetched from the issuer, and while it was never reached nothing is refused for good", async () => {
  using clock = fakeClock();
  const issuer = await createIssuer();
  await using keys = await serveKeys(issuer);
  keys.state.status = 500;
  await using gateway = await startTrusting({ jwks: keys.url });
  const authorization = `Bearer ${await ticketOf(issuer)}`;
  const request = { headers: { authorization } };
  const { status, code } = await gateway.send(LOCKED, request);
  assert.deepEqual([status, code], [503, "issuer_unavailable"]);
  keys.state.status = 200;
  clock.pass(5000);
  assert.equal((await gateway.send(LOCKED, request)).status, 200);

  const next = await createIssuer({ alg: "RS256", kid: "next" });
  keys.state.issuer = next;
  clock.pass(60_000);
  const rotated = `Bearer ${await ticketOf(next)}`;
  const headers = { authorization: rotated };
  assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
  assert.equal(keys.state.asked, 3);
});

Deno.test("forged tickets cost no question to the API or the issuer, and their client is told to wait", async () => {
  const issuer = await createIssuer();
  const forger = await createIssuer();
  await using keys = await serveKeys(issuer);
  await using gateway = await startTrusting({ jwks: keys.url }, {
    REFUSALS_PER_MINUTE: "20",
  });
  const { api } = gateway.stack;
  const authorization = `Bearer ${await ticketOf(issuer)}`;
  const good = { headers: { authorization } };
  assert.equal((await gateway.send(LOCKED, good)).status, 200);
  const before = api.calls.length;
  const codes = new Set<string | null>();
  for (let i = 0; i < 60; i++) {
    const headers = { authorization: `Bearer ${await ticketOf(forger)}` };
    codes.add((await gateway.send(LOCKED, { headers })).code);
  }
  assert.deepEqual(codes, new Set(["grant_invalid", "too_many_refusals"]));
  assert.equal(api.calls.length, before);
  assert.equal(keys.state.asked, 1);
  // Whoever has a good one behind that address is let in.
  assert.equal((await gateway.send(LOCKED, good)).status, 200);
});

Deno.test("a good credential counts beside a bad ticket, and a user's own bearer goes to Daytona as before", async () => {
  const issuer = await createIssuer();
  const forger = await createIssuer();
  await using gateway = await startTrusting(issuer);
  const both = {
    "x-porthole-token": await ticketOf(forger),
    authorization: `Bearer ${KEYS.user}`,
  };
  assert.equal((await gateway.send(LOCKED, { headers: both })).status, 200);
  assert.equal(gateway.stack.api.count("hasSandboxAccess"), 1);
});

Deno.test("an app gets its users' JWTs of a trusted issuer, which Daytona never does, and no ticket", async () => {
  const issuer = await createIssuer();
  await using gateway = await startTrusting(issuer);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: "the app", exp: now + 600 };
  const own = `Bearer ${await issuer.sign(claims)}`;
  const ticket = await ticketOf(issuer);
  for (
    const [host, credentials] of [
      [DEMO, {}],
      [LOCKED, { "x-porthole-token": ticket }],
    ] as const
  ) {
    for (const authorization of [own, `Bearer ${ticket}`]) {
      const headers = { ...credentials, authorization };
      const { status, body } = await gateway.send(host, {
        path: "/echo",
        headers,
      });
      assert.equal(status, 200);
      const isSeen = body.includes(authorization);
      assert.equal(isSeen, authorization === own, host);
    }
  }
  const headers = { authorization: own };
  assert.equal((await gateway.send(LOCKED, { headers })).status, 401);
  assert.equal(gateway.stack.api.count("hasSandboxAccess"), 0);
});

Deno.test("the log names the holder as LOG_SUBJECT says, and tells why a JWT is refused", async () => {
  const issuer = await createIssuer();
  for (const [mode, subject] of [["clear", "user-7"], ["off", undefined]]) {
    await using log = await collectLog();
    await using gateway = await startTrusting(issuer, {
      LOG_SUBJECT: mode ?? "",
    });
    const authorization = `Bearer ${await ticketOf(issuer)}`;
    await gateway.send(LOCKED, { headers: { authorization } });
    const used = await log.next("grant used");
    assert.equal(used["via"], "ticket");
    assert.equal(used["subject"], subject);
    const text = JSON.stringify(log.records());
    assert(!text.includes(authorization.slice(-40)));
    const other = await ticketOf(issuer, { sandbox: "other", ports: [3000] });
    for (let i = 0; i < 3; i++) {
      await gateway.send(LOCKED, { headers: { "x-porthole-token": other } });
    }
    const refused = await log.next("JWT refused");
    assert.deepEqual(
      [refused["issuer"], refused["reason"]],
      [ISSUER, "another sandbox"],
    );
    const lines = log.records().filter(({ message }) =>
      message === "JWT refused"
    );
    assert.equal(lines.length, 1);
  }
});
