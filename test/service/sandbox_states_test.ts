/** What visitors are told of a sandbox that does not answer, by its state, tested on the complete service. */
import assert from "node:assert/strict";
import type { ApiSandbox } from "../../scripts/stand_in/api_state.ts";
import { HOSTED_KEYS } from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS, startStack } from "../../scripts/stand_in/stack.ts";
import { type Answer, startGatewayOf } from "../support/gateway.ts";
import {
  startHostedGateway,
  startHostedLoginGateway,
} from "../support/hosted_gateway.ts";
import { startLoginGateway } from "../support/login_gateway.ts";
import { testInBothWorlds as test, WORLDS } from "../support/worlds.ts";
import { skewClock } from "../support/skewed_clock.ts";
import { SESSION_SCOPES } from "../support/session_scopes.ts";

const HOST = "3000-asleep.proxy.localhost";
const MEMBER = { authorization: `Bearer ${KEYS.user}` };
const GUEST = { "x-daytona-preview-token": "asleep-token" };
const PAGE = { "accept": "text/html", "sec-fetch-mode": "navigate" };
const REASON = "no space left on <device>";

/** A gateway whose sandbox `asleep` is private and does not run. */
async function startAsleep(environment: Record<string, string> = {}) {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack({ sleepers: true }));
  const gateway = started.use(await startGatewayOf(stack, environment));
  const owned = started.move();
  return {
    ...gateway,
    asleep: stack.api.sandbox("asleep"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const FAILED = { state: "error", errorReason: REASON } as const;

/** Each state, what it is told as, and whether its page waits. */
const STATES: readonly [
  facts: Partial<ApiSandbox>,
  status: number,
  code: string,
  retryAfter: string | null,
  waits: boolean,
][] = [
  [{ state: "stopped" }, 503, "sandbox_stopped", "2", false],
  [{ state: "archiving" }, 503, "sandbox_stopped", "2", false],
  [{ state: "paused" }, 503, "sandbox_paused", "2", false],
  [{ state: "archived" }, 503, "sandbox_archived", "10", false],
  [{ state: "creating" }, 503, "sandbox_starting", "2", true],
  [{ state: "starting" }, 503, "sandbox_starting", "2", true],
  [
    { state: "stopped", desiredState: "started" },
    503,
    "sandbox_starting",
    "2",
    true,
  ],
  [
    { state: "archiving", desiredState: "started" },
    503,
    "sandbox_starting",
    "2",
    true,
  ],
  [{ state: "resuming" }, 503, "sandbox_resuming", "2", true],
  [
    { state: "paused", desiredState: "started" },
    503,
    "sandbox_resuming",
    "2",
    true,
  ],
  [{ state: "restoring" }, 503, "sandbox_restoring", "5", true],
  [
    { state: "archived", desiredState: "started" },
    503,
    "sandbox_restoring",
    "5",
    true,
  ],
  [{ state: "pending_build" }, 503, "sandbox_pulling", "10", true],
  [{ state: "building_snapshot" }, 503, "sandbox_pulling", "10", true],
  [{ state: "pulling_snapshot" }, 503, "sandbox_pulling", "10", true],
  [{ state: "stopping" }, 503, "sandbox_stopping", "2", true],
  [{ state: "pausing" }, 503, "sandbox_stopping", "2", true],
  [
    { state: "started", desiredState: "stopped" },
    503,
    "sandbox_stopping",
    "2",
    true,
  ],
  [{ ...FAILED, recoverable: false }, 503, "sandbox_error", "30", false],
  [{ ...FAILED, recoverable: true }, 503, "sandbox_recoverable", "30", false],
  [{ state: "build_failed" }, 503, "sandbox_build_failed", "30", false],
  [{ state: "destroying" }, 404, "sandbox_destroying", null, false],
];

Deno.test("each state has its own code and page, and only states that pass by themselves are waited for", async () => {
  using clock = skewClock();
  await using gateway = await startAsleep();
  const { asleep, stack } = gateway;
  for (const [facts, status, code, retryAfter, waits] of STATES) {
    clock.jump(2001); // what was told before is forgotten
    delete asleep.desiredState;
    delete asleep.errorReason;
    Object.assign(asleep, facts);
    const { state = "", desiredState = state } = asleep;
    const told = [status, code, retryAfter, state];
    const answer = await gateway.send(HOST, { headers: GUEST });
    assert.deepEqual(toldBy(answer), told);
    const json = answer.json();
    assert.deepEqual(
      [json.code, json.state, json.desiredState, json.recoverable],
      [code, state, desiredState, facts.recoverable],
    );
    assert.match(String(json.detail), /port 3000/);

    const asked = stack.api.count("getSandbox");
    const page = await gateway.send(HOST, { headers: { ...GUEST, ...PAGE } });
    assert.deepEqual(toldBy(page), told);
    assert.equal(/<script data-seconds/.test(page.body), waits, code);
    assert.match(page.body, new RegExp(`<code id="state">${state}</code>`));
    assert.equal(
      page.body.includes('<a href="http://proxy.localhost/dashboard"'),
      !waits,
      code,
    );
    assert.equal(stack.api.count("getSandbox"), asked);
  }
});

function toldBy({ status, code, headers }: Answer) {
  return [
    status,
    code,
    headers.get("retry-after"),
    headers.get("x-daytona-sandbox-state"),
  ];
}

for (
  const [where, prepare] of [
    ["whose runner does not have it", "container"],
    ["whose runner is not ready", "runner"],
    ["that has no runner", "none"],
  ] as const
) {
  Deno.test(`the state explains a sandbox ${where}`, async () => {
    await using gateway = await startAsleep();
    const { asleep, stack: { api, runner } } = gateway;
    asleep.state = "restoring";
    if (prepare === "container") runner.containers.delete("asleep");
    if (prepare === "runner") api.runnerOf("asleep").proxyUrl = null;
    if (prepare === "none") api.state.runners.clear();
    const { status, code } = await gateway.send(HOST, { headers: GUEST });
    assert.deepEqual([status, code], [503, "sandbox_restoring"]);
  });
}

Deno.test("a sandbox that was archived a moment ago is served as soon as it is started", async () => {
  using clock = skewClock();
  await using gateway = await startAsleep();
  const { asleep, stack: { runner } } = gateway;
  asleep.state = "archived";
  const archived = await gateway.send(HOST, { headers: GUEST });
  assert.equal(archived.code, "sandbox_archived");
  asleep.state = "started";
  const container = runner.containers.get("asleep") ?? assert.fail("none");
  container.started = true;
  clock.jump(2001); // shorter than it is remembered that there is no runner
  // Its labels are read again, by an answer that tells that it has started.
  assert.equal((await gateway.send(HOST, { headers: GUEST })).status, 200);
});

Deno.test("a sandbox that is started, but not yet on its runner, is waited for", async () => {
  await using gateway = await startAsleep();
  gateway.asleep.state = "started";
  const { code } = await gateway.send(HOST, { headers: GUEST });
  assert.equal(code, "sandbox_starting");
});

Deno.test("a sandbox that no runner has any more is not found, although it is started to the API", async () => {
  await using gateway = await startAsleep();
  const { asleep, stack: { api } } = gateway;
  api.state.runners.clear();
  asleep.state = "started";
  const lost = await gateway.send(HOST, { headers: GUEST });
  assert.deepEqual([lost.status, lost.code], [404, "sandbox_not_found"]);
});

for (const isGone of [true, false]) {
  Deno.test(`a sandbox that was destroyed is not found, ${isGone ? "once it is gone from its runner" : "even if its runner still has it"}`, async () => {
    using clock = skewClock();
    await using gateway = await startAsleep();
    const { asleep, stack: { runner } } = gateway;
    await gateway.send(HOST, { headers: GUEST }); // its runner is known now
    asleep.state = "error";
    asleep.desiredState = "destroyed";
    if (isGone) runner.containers.delete("asleep");
    clock.jump(2001);
    const { status, code, headers } = await gateway.send(HOST, {
      headers: GUEST,
    });
    assert.deepEqual([status, code], [404, "sandbox_not_found"]);
    assert.equal(headers.has("x-daytona-sandbox-state"), false);
  });
}

Deno.test("however many visitors wait, the API is asked for the state once in two seconds", async () => {
  using clock = skewClock();
  await using gateway = await startAsleep();
  const { api } = gateway.stack;
  await gateway.send(HOST, { headers: GUEST });
  clock.jump(2001);
  const before = api.count("getSandbox");
  const visits = Array.from(
    { length: 20 },
    () => gateway.send(HOST, { headers: GUEST }),
  );
  for (const { code } of await Promise.all(visits)) {
    assert.equal(code, "sandbox_stopped");
  }
  assert.equal(api.count("getSandbox"), before + 1);
  clock.jump(2001);
  await gateway.send(HOST, { headers: GUEST });
  assert.equal(api.count("getSandbox"), before + 2);
});

Deno.test("where apps answer, the API is not asked for the state, not even if they answer 404", async () => {
  await using gateway = await startAsleep();
  const { api } = gateway.stack;
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  const host = "3000-locked.proxy.localhost";
  assert.equal((await gateway.send(host, { headers })).status, 200);
  const before = api.count("getSandbox");
  for (const path of ["/", "/status/404", "/status/503"]) {
    await gateway.send(host, { path, headers });
  }
  assert.equal(api.count("getSandbox"), before);
});

Deno.test("who is not admitted learns nothing of the state, and the API is not asked for it", async () => {
  await using gateway = await startAsleep();
  const { asleep, stack: { api } } = gateway;
  await gateway.send(HOST, { headers: GUEST }); // its labels are known now
  const before = api.count("getSandbox");
  const answers: string[] = [];
  for (const state of ["stopped", "error", "destroying"]) {
    asleep.state = state;
    for (const token of [undefined, "wrong"]) {
      const { status, code, headers, body } = await gateway.send(HOST, {
        headers: token === undefined
          ? {}
          : { "x-daytona-preview-token": token },
      });
      assert.equal(headers.has("x-daytona-sandbox-state"), false);
      assert.doesNotMatch(body, /stopped|failed|deleted/);
      answers.push(`${status} ${code}`);
    }
  }
  assert.deepEqual(
    new Set(answers),
    new Set(["401 login_required", "401 credential_invalid"]),
  );
  assert.equal(api.count("getSandbox"), before);
});

Deno.test("the reason of a failure, in Daytona's words, is for members, not for whoever has a link or a token", async () => {
  await using gateway = await startAsleep();
  Object.assign(gateway.asleep, FAILED);
  const member = await gateway.send(HOST, { headers: MEMBER });
  assert.equal(member.json().errorReason, REASON);
  const page = await gateway.send(HOST, { headers: { ...MEMBER, ...PAGE } });
  assert.match(page.body, /no space left on &lt;device&gt;/);

  gateway.stack.api.state.signedTokens.set("signedlinkasleep", {
    sandboxId: "asleep",
    port: 3000,
    expiresAt: Date.now() + 60_000,
    revoked: false,
  });
  const guests: [host: string, headers: Record<string, string>][] = [
    [HOST, GUEST],
    ["3000-signedlinkasleep.proxy.localhost", {}],
    ["3000-signedlinkasleep.proxy.localhost", PAGE],
    [HOST, { ...GUEST, ...PAGE }],
  ];
  for (const [host, headers] of guests) {
    const { code, body } = await gateway.send(host, { headers });
    assert.equal(code, "sandbox_error");
    assert.doesNotMatch(body, /no space/);
  }
  gateway.stack.api.sandbox("broken").public = true;
  const anybody = await gateway.send("3000-broken.proxy.localhost");
  assert.equal(anybody.code, "sandbox_error");
  assert.doesNotMatch(anybody.body, /no space/);
});

Deno.test("where the API does not tell the state, a refusal is told as the runner gave it", async () => {
  using clock = skewClock();
  await using gateway = await startAsleep({ API_CLIENT_TIMEOUT_SEC: "1" });
  const { asleep, stack: { api } } = gateway;
  const send = () => gateway.send(HOST, { headers: GUEST });
  await send(); // its runner is known now
  asleep.state = "error";
  for (
    const fault of [
      () => api.state.lacks.add("getSandbox"),
      () => {
        api.state.lacks.clear();
        asleep.state = "of another kind";
      },
      () => asleep.state = "resizing",
      () => api.outage = 429,
      () => api.outage = 500,
    ]
  ) {
    clock.jump(2001);
    fault();
    const { status, code, headers } = await send();
    assert.deepEqual([status, code], [503, "sandbox_stopped"]);
    assert.equal(headers.has("x-daytona-sandbox-state"), false);
  }
});

Deno.test("the proxy of a region tells the states of its region's sandboxes", async () => {
  await using gateway = await startAsleep({ PROXY_API_KEY: KEYS.regionProxy });
  Object.assign(gateway.asleep, FAILED);
  const { code, headers } = await gateway.send(HOST, { headers: GUEST });
  assert.equal(code, "sandbox_error");
  assert.equal(headers.get("x-daytona-sandbox-state"), "error");
});

Deno.test("the toolbox and WebSockets of a sandbox that does not run are told its state, too", async () => {
  await using gateway = await startAsleep();
  gateway.asleep.state = "starting";
  const toolbox = await gateway.send("proxy.localhost", {
    path: "/toolbox/asleep/version",
    headers: MEMBER,
  });
  assert.deepEqual(toldBy(toolbox), [503, "sandbox_starting", "2", "starting"]);
  assert.match(toolbox.body, /the toolbox yet/);
  const webSocket = await gateway.send(HOST, {
    headers: {
      ...GUEST,
      "connection": "Upgrade",
      "upgrade": "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": btoa("0123456789abcdef"),
    },
  });
  assert.deepEqual(toldBy(webSocket), [
    503,
    "sandbox_starting",
    "2",
    "starting",
  ]);
});

for (
  const [member, code, title] of [
    ["spotEvictedAt", "sandbox_evicted", "The sandbox gave way to another"],
    ["queueTimedOutAt", "sandbox_not_placed", "The sandbox found no place"],
  ] as const
) {
  for (const { suffix, memberKey, startGateway } of WORLDS) {
    const name =
      `a member learns that Daytona ended a sandbox by itself, and when, and nobody else does: ${member}`;
    Deno.test(name + suffix, async () => {
      using clock = skewClock();
      await using gateway = await startGateway();
      const { api, runner } = gateway.stack;
      const host = "3000-locked.proxy.localhost";
      const guest = { "x-daytona-preview-token": KEYS.lockedToken };
      const headers = { authorization: `Bearer ${memberKey}` };
      assert.equal((await gateway.send(host, { headers: guest })).status, 200);
      assert.equal((await gateway.send(host, { headers })).status, 200);
      Object.assign(api.sandbox("locked"), {
        state: "destroyed",
        [member]: "2026-07-15T12:00:00.000Z",
      });
      runner.containers.delete("locked");
      // Who was admitted before, and whoever is asked about anew.
      for (const jump of [0, 300_000]) {
        clock.jump(jump);
        const answer = await gateway.send(host, { headers });
        assert.deepEqual([answer.status, answer.code], [404, code]);
        const told = answer.json();
        assert.deepEqual([told.code, told.endedAt], [
          "SANDBOX_DESTROYED",
          "2026-07-15T12:00:00.000Z",
        ]);
        const page = await gateway.send(host, {
          headers: { ...headers, ...PAGE },
        });
        assert.ok(page.body.includes(`<h1>${title}</h1>`));
        assert.match(page.body, />Wed, 15 Jul 2026 12:00:00 GMT</);
        for (const others of [guest, {}]) {
          const other = await gateway.send(host, { headers: others });
          assert.notEqual(other.code, code);
          assert.doesNotMatch(other.body, /2026/);
        }
      }
    });
  }
}

for (const scope of SESSION_SCOPES) {
  Deno.test(`who has logged in for '${scope}' is a member, and reads why the sandbox has failed`, async () => {
    await using gateway = await startLoginGateway({ SESSION_SCOPE: scope });
    const { api, runner } = gateway.stack;
    Object.assign(api.sandbox("locked"), FAILED);
    const container = runner.containers.get("locked") ?? assert.fail("none");
    container.started = false;
    const browser = gateway.browser();
    const { page } = await browser.openAs("alice", gateway.at("3000-locked"));
    assert.match(page.body, /<h1>The sandbox has failed<\/h1>/);
    assert.match(page.body, /no space left on &lt;device&gt;/);
  });
}

Deno.test("in front of somebody else's Daytona, the state is told as well, and its reason only to bearers", async () => {
  using clock = skewClock();
  await using gateway = await startHostedGateway();
  const { api } = gateway.stack;
  Object.assign(api.sandbox("stopped"), FAILED);
  Object.assign(api.sandbox("locked"), FAILED);
  const failed = await gateway.send("3000-stopped.proxy.localhost");
  assert.deepEqual(toldBy(failed), [503, "sandbox_error", "30", "error"]);
  assert.doesNotMatch(failed.body, /no space/);

  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  const host = "3000-locked.proxy.localhost";
  gateway.stack.runner.containers.delete("locked");
  const member = await gateway.send(host, { headers });
  assert.equal(member.json().errorReason, REASON);
  clock.jump(2001);
  api.sandbox("locked").state = "archived";
  const archived = await gateway.send(host, { headers });
  assert.deepEqual(toldBy(archived), [
    503,
    "sandbox_archived",
    "10",
    "archived",
  ]);
});

Deno.test("in front of somebody else's Daytona, who logged in by the operator's rule is not told the reason", async () => {
  await using gateway = await startHostedLoginGateway("group:staff");
  const { api, runner } = gateway.stack;
  Object.assign(api.sandbox("locked"), FAILED);
  runner.containers.delete("locked");
  const browser = gateway.browser();
  const { page } = await browser.openAs("alice", gateway.at("3000-locked"));
  assert.match(page.body, /<h1>The sandbox has failed<\/h1>/);
  assert.doesNotMatch(page.body, /no space/);
});

Deno.test("an app cannot pretend to be in a state", async () => {
  await using gateway = await startAsleep();
  const host = await gateway.serve((_, response) => {
    response.writeHead(503, { "x-daytona-sandbox-state": "stopped" }).end();
  });
  const { status, headers } = await gateway.send(host);
  assert.equal(status, 503);
  assert.equal(headers.has("x-daytona-sandbox-state"), false);
});

test("a HEAD of a sandbox that does not run has the status and headers of a GET, and an app's own answers pass", async (startGateway) => {
  await using gateway = await startGateway();
  const { stack, send } = gateway;
  const token = { "x-daytona-preview-token": KEYS.lockedToken };
  const head = { method: "HEAD", headers: token };
  const names = [
    "retry-after",
    "x-porthole-error",
    "x-daytona-sandbox-state",
  ];
  async function told(method: string, host: string) {
    const { status, headers } = await send(host, { ...head, method });
    return [status, ...names.map((name) => headers.get(name))];
  }
  const stopped = "3000-stopped.proxy.localhost";
  const expected = [503, "2", "sandbox_stopped", "stopped"];
  assert.deepEqual(await told("GET", stopped), expected);
  assert.deepEqual(await told("HEAD", stopped), expected);
  const { body, headers } = await send(stopped, head);
  assert.equal(body, "");
  assert.equal(headers.get("content-type"), "application/problem+json");
  // An app that answers as a runner might.
  const host = await gateway.serve((request, response) => {
    const status = Number(request.url?.slice(1)) || 200;
    const text = JSON.stringify({ statusCode: status, message: "no" });
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": text.length,
    });
    response.end(text);
  });
  for (const status of [400, 401, 404]) {
    const answer = await send(host, { method: "HEAD", path: `/${status}` });
    assert.deepEqual([answer.status, answer.code], [status, null]);
  }
  stack.runner.containers.delete("locked");
  stack.api.sandbox("locked").state = "archived";
  const locked = await told("HEAD", "3000-locked.proxy.localhost");
  assert.deepEqual(locked, [503, "10", "sandbox_archived", "archived"]);
});

Deno.test("in front of somebody else's Daytona, what is being destroyed says so, and what was is not told from what never was", async () => {
  await using gateway = await startHostedGateway();
  const { api } = gateway.stack;
  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  const host = "3000-stopped.proxy.localhost";
  const stopped = api.sandbox("stopped");
  Object.assign(stopped, { state: "destroying", desiredState: "destroyed" });
  assert.equal(
    (await gateway.send(host, { headers })).code,
    "sandbox_destroying",
  );
  for (const state of ["destroyed", "error"]) {
    await using later = await startHostedGateway();
    const gone = later.stack.api.sandbox("stopped");
    Object.assign(gone, { state, desiredState: "destroyed" });
    const never = `3000-${crypto.randomUUID()}.proxy.localhost`;
    const answers = [];
    for (const one of [host, never]) {
      for (const sent of [headers, {}]) {
        const { status, code } = await later.send(one, { headers: sent });
        answers.push([status, code]);
      }
    }
    assert.deepEqual(answers.slice(0, 2), answers.slice(2), state);
    assert.notEqual(answers[0]?.[0], 200);
  }
});

for (const state of ["stopped", "archived"] as const) {
  Deno.test(`the first request for a sandbox that is ${state} asks the API for it once`, async () => {
    await using gateway = await startAsleep();
    const { asleep, stack: { api } } = gateway;
    asleep.state = state;
    const { code } = await gateway.send(HOST, { headers: MEMBER });
    assert.equal(code, `sandbox_${state}`);
    await gateway.service.close();
    assert.equal(api.count("getSandbox"), 1);
  });
}
