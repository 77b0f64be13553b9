/** The state of previews, and who waits for one, on the complete service. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { createServer } from "node:http";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { listenOnLoopback } from "../../../../scripts/stand_in/loopback.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../../support/add_sandbox.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { type FakeClock, fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  IMPATIENT,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import type { Answer } from "../../../support/send.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import {
  testInBothWorlds as test,
  testLoginsInBothWorlds,
} from "../../../support/worlds.ts";
import { samplesOf } from "../../../unit/observability/metrics/parse_exposition.ts";

/** The port of the app that is not there at first, and one on which nothing listens. */
const PORT = 4242;
const CLOSED_PORT = 1;
/** Time between two looks at a port, ms. */
const PACE_MS = 750;
const PATH = `/api/v1/previews/locked/${PORT}`;

function closePort({ stack: { runner } }: TestGateway): void {
  runner.containers.get("locked")?.ports.set(PORT, CLOSED_PORT);
}

function openPort({ stack: { runner, app } }: TestGateway): void {
  runner.containers.get("locked")?.ports.set(PORT, app.port);
}

function memberOf({ stack }: TestGateway): { authorization: string } {
  const isHosted = stack.environment.PROXY_API_KEY === undefined;
  const key = isHosted ? HOSTED_KEYS.member : KEYS.user;
  return { authorization: `Bearer ${key}` };
}

function ask(gateway: TestGateway, query = "", path = PATH): Promise<Answer> {
  const headers = memberOf(gateway);
  return gateway.send(BASE, { path: path + query, headers });
}

async function stateOf(gateway: TestGateway, query = "") {
  const { status, body } = await ask(gateway, query);
  assert.equal(status, 200, body);
  return JSON.parse(body);
}

/** How often the app was asked. */
function looks({ stack: { runner } }: TestGateway): number {
  return runner.seen.filter(({ method }) => method === "HEAD").length;
}

/** Sends a request that waits, and resolves once it does. */
async function wait(gateway: TestGateway, query: string) {
  const before = looks(gateway);
  let isAnswered = false;
  const state = stateOf(gateway, query)
    .finally(() => isAnswered = true);
  await assertEventually(() => looks(gateway) > before, "it looks");
  return { state, isAnswered: () => isAnswered };
}

/** Lets time pass until something is so, as much as is between two looks for each of them; returns how often. */
async function passUntil(
  gateway: TestGateway,
  clock: FakeClock,
  isSo: () => boolean,
): Promise<number> {
  let seen = looks(gateway);
  let times = 1;
  clock.pass(PACE_MS);
  await assertEventually(() => {
    if (looks(gateway) > seen) times++;
    clock.pass(looks(gateway) > seen ? PACE_MS : 0);
    seen = looks(gateway);
    return isSo();
  }, "it is answered");
  return times;
}

function inFlight({ service }: TestGateway): number | undefined {
  return samplesOf(service.renderMetrics())
    .get("porthole_http_requests_in_flight");
}

test("a member is told that a preview is ready, and where it is, which is no use of the sandbox", async (startGateway) => {
  await using gateway = await startGateway();
  openPort(gateway);
  const { sandboxId, url, ...state } = await stateOf(gateway);
  assert.deepEqual(state, {
    port: PORT,
    state: "started",
    code: null,
    ready: true,
  });
  assert.match(url, new RegExp(`^https?://${PORT}-${sandboxId}\\.[^/]+/$`));
  assert.equal(gateway.stack.api.count("updateLastActivity"), 0);
});

test("a port that a label has switched off is not ready, and nobody waits for it", async (startGateway) => {
  await using gateway = await startGateway();
  openPort(gateway);
  gateway.stack.api.sandbox("locked").labels = {
    [`porthole.port.${PORT}`]: "off",
  };
  const { code, ready } = await stateOf(gateway, "?wait=60");
  assert.deepEqual([code, ready], ["port_off", false]);
  assert.equal(looks(gateway), 0);
});

Deno.test("in front of somebody else's Daytona, its proxy is told that this is no use of the sandbox", async () => {
  await using gateway = await startHostedGateway();
  openPort(gateway);
  assert.equal((await stateOf(gateway)).ready, true);
  assert.deepEqual(gateway.stack.hosted.runners.activity, []);
});

test("a port on which nothing listens is told by its code, and so is each state of the sandbox; nothing starts", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway({ WAKE: "visit" });
  const { api, runner } = gateway.stack;
  closePort(gateway);
  const { state, code, ready, retryAfterSec } = await stateOf(gateway);
  assert.deepEqual([state, code, ready, retryAfterSec], [
    "started",
    "port_closed",
    false,
    undefined,
  ]);
  const container = runner.containers.get("locked") ?? assert.fail("none");
  container.started = false;
  for (
    const [name, expected, afterSec] of [
      ["starting", "sandbox_starting", 2],
      ["stopped", "sandbox_stopped", 2],
      ["archived", "sandbox_archived", 10],
      ["error", "sandbox_error", 30],
    ] as const
  ) {
    api.sandbox("locked").state = name;
    clock.pass(3000); // what was seen before is not told again
    const { state, code, ready, retryAfterSec } = await stateOf(gateway);
    assert.deepEqual([state, code, ready, retryAfterSec], [
      name,
      expected,
      false,
      afterSec,
    ]);
  }
  assert.equal(api.count("startSandbox"), 0);
});

test("who waits is answered within a second of the port's opening", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  closePort(gateway);
  const { state, isAnswered } = await wait(gateway, "?wait=60");
  await turn();
  assert(!isAnswered());
  openPort(gateway);
  clock.pass(1000);
  await assertEventually(() => {
    clock.pass(0); // whatever is due
    return isAnswered();
  }, "it is answered");
  assert.equal((await state).ready, true);
});

test("who waits is answered when the time is over, which is a minute at most", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  closePort(gateway);
  for (
    const [query, sec] of [["?wait=5", 5], ["?wait=900", 60]] as const
  ) {
    const { state, isAnswered } = await wait(gateway, query);
    const times = await passUntil(gateway, clock, isAnswered);
    const expected = Math.ceil(sec * 1000 / PACE_MS);
    assert([expected, expected + 1].includes(times), `${times} looks`);
    assert.equal((await state).code, "port_closed");
  }
});

test("a thousand who wait cost one question, and all are answered", async (startGateway) => {
  using clock = fakeClock();
  const MAX = { MAX_EXCHANGES_PER_CLIENT: "1000" };
  await using gateway = await startGateway(MAX);
  closePort(gateway);
  const all = Array.from({ length: 1000 }, () => stateOf(gateway, "?wait=60"));
  await assertEventually(() => inFlight(gateway) === 1000, "all wait");
  await assertEventually(() => looks(gateway) === 1, "it looks");
  openPort(gateway);
  const answered = Promise.all(all);
  let isOver = false;
  answered.then(() => isOver = true);
  await passUntil(gateway, clock, () => isOver);
  assert((await answered).every(({ ready }) => ready));
  assert.equal(looks(gateway), 2);
});

test("an app that keeps who asks waiting is ready after five seconds", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  await gateway.serve(() => {}, "locked");
  const path = "/api/v1/previews/locked/8000";
  const answer = ask(gateway, "", path);
  await assertEventually(() => looks(gateway) === 1, "it looks");
  clock.pass(5000);
  assert.equal(JSON.parse((await answer).body).ready, true);
});

test("a request that waits counts against its client's limit, and against its sandbox's", async (startGateway) => {
  for (
    const [name, code] of [
      ["MAX_EXCHANGES_PER_CLIENT", "client_overloaded"],
      ["MAX_EXCHANGES_PER_SANDBOX", "sandbox_overloaded"],
    ] as const
  ) {
    using clock = fakeClock();
    await using gateway = await startGateway({ [name]: "1" }, IMPATIENT);
    closePort(gateway);
    const { state, isAnswered } = await wait(gateway, "?wait=60");
    assert.equal((await ask(gateway)).code, code);
    openPort(gateway);
    await passUntil(gateway, clock, isAnswered);
    assert.equal((await state).ready, true);
  }
});

test("a wait ends when its client leaves", async (startGateway) => {
  await using gateway = await startGateway();
  closePort(gateway);
  const { authorization } = memberOf(gateway);
  const client = await gateway.open(
    `GET ${PATH}?wait=60 HTTP/1.1\r\nHost: ${BASE}\r\n` +
      `Authorization: ${authorization}\r\n\r\n`,
  );
  await assertEventually(() => looks(gateway) > 0, "it looks");
  assert.equal(inFlight(gateway), 1);
  client.close();
  await assertEventually(() => inFlight(gateway) === 0, "it ends");
});

test("a wait ends at once when the gateway is asked to stop, and nobody waits after that", async (startGateway) => {
  using _clock = fakeClock(); // no time passes
  await using gateway = await startGateway();
  closePort(gateway);
  const { state, isAnswered } = await wait(gateway, "?wait=60");
  gateway.service.startDraining();
  await assertEventually(isAnswered, "it is answered");
  assert.equal((await state).code, "port_closed");
  assert.equal((await stateOf(gateway, "?wait=60")).code, "port_closed");
});

Deno.test("a wait ends when its caller loses access", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway({ TOKEN_TTL_SEC: "5" });
  closePort(gateway);
  const answer = ask(gateway, "?wait=60");
  await assertEventually(() => looks(gateway) > 0, "it looks");
  gateway.stack.api.state.users.delete(KEYS.user);
  let isOver = false;
  answer.then(() => isOver = true);
  const times = await passUntil(gateway, clock, () => isOver);
  assert.equal((await answer).code, "credential_invalid");
  assert(times * PACE_MS <= 30_000);
});

Deno.test("a runner that answers nobody is told of, and not taken for an app that is slow", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  const asked: string[] = [];
  await using runner = await listenOnLoopback(
    createServer(({ url = "" }) => void asked.push(url)),
  );
  addSandbox(gateway.stack, "hung", runner.port);
  const answer = ask(gateway, "", "/api/v1/previews/hung/3000");
  await assertEventually(() => asked.length === 1, "the app is asked");
  clock.pass(5000);
  await assertEventually(() => asked.includes("/"), "the runner is asked");
  clock.pass(5000);
  const { code, ready } = JSON.parse((await answer).body);
  assert.deepEqual([code, ready], ["runner_timeout", false]);
});

Deno.test("a request that is not as described is refused, and says why", async () => {
  await using gateway = await startGateway();
  for (
    const [query, path] of [["?wait=-1", "/wait"], ["?wait=1.5", "/wait"], [
      "?wait=",
      "/wait",
    ], ["?until=1", "/until"]] as const
  ) {
    const { status, code, body } = await ask(gateway, query);
    assert.deepEqual([status, code], [400, "invalid_request"], query);
    assert.equal(JSON.parse(body).errors[0].path, path);
  }
  const headers = memberOf(gateway);
  const posted = await gateway.send(BASE, {
    path: PATH,
    method: "POST",
    headers,
  });
  assert.equal(posted.code, "method_not_allowed");
  for (const port of ["0", "080", "65536", "x"]) {
    const path = `/api/v1/previews/locked/${port}`;
    assert.equal((await ask(gateway, "", path)).code, "invalid_request", port);
  }
  const elsewhere = await gateway.send("10.0.0.7", { path: PATH, headers });
  assert.equal(elsewhere.code, "route_not_found");
});

test("whoever is no member is told nothing of a sandbox, nor whether there is one", async (startGateway) => {
  await using gateway = await startGateway();
  openPort(gateway);
  const token = KEYS.lockedToken;
  for (
    const [path, headers, status] of [
      [PATH, {}, 401],
      [`/api/v1/previews/demo/3000`, {}, 401], // public
      [PATH, { "x-daytona-preview-token": token }, 401],
      [`${PATH}?DAYTONA_SANDBOX_AUTH_KEY=${token}`, {}, 400],
      [`/api/v1/previews/${KEYS.signedToken}/3000`, {}, 401],
      [PATH, { authorization: `Bearer ${token}` }, 404],
      ["/api/v1/previews/nobody/3000", memberOf(gateway), 404],
    ] as const
  ) {
    const answer = await gateway.send(BASE, { path, headers });
    assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
  }
  assert.equal(looks(gateway), 0);
});

for (const scope of SESSION_SCOPES) {
  testLoginsInBothWorlds(
    `who has logged in for '${scope}' is told on a page of the base host, and on no page of an app`,
    async (start) => {
      await using gateway = await start({ SESSION_SCOPE: scope });
      const browser = gateway.browser();
      await browser.openAs("alice", gateway.at("3000-locked", "/echo"));
      const base = new URL(gateway.at(""));
      const cookie = browser.cookieAt(base) || assert.fail("no cookie");
      for (
        const [headers, told] of [
          [{ "sec-fetch-site": "same-origin" }, [200, null]],
          [{ "sec-fetch-site": "same-site" }, [403, "origin_refused"]],
          [{ "sec-fetch-site": "none" }, [403, "origin_refused"]],
          [{ origin: gateway.at("3000-locked") }, [403, "origin_refused"]],
        ] as const
      ) {
        const { status, code } = await gateway.send(base.host, {
          path: "/api/v1/previews/locked/3000",
          headers: { cookie, ...headers },
        });
        assert.deepEqual([status, code], told, JSON.stringify(headers));
      }
    },
  );
}
