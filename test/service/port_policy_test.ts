/** Who may open which port by labels and the operator's ceiling, tested on the complete service. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS, startStack } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { backgroundWork } from "../support/background_work.ts";
import { fakeClock } from "../support/fake_clock.ts";
import {
  BASE,
  LOCKED,
  startGatewayOf,
  type TestGateway,
} from "../support/gateway.ts";
import { grantOf, withGrants } from "../support/grants.ts";
import { sharedTierTest as test } from "../support/shared_tier.ts";
import { skewClock } from "../support/skewed_clock.ts";
import { WORLDS } from "../support/worlds.ts";

const GRANTS = withGrants();

const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

/** Time after which requests go by labels of before, ms. */
const SLOW_MS = 300;

interface Labelled {
  readonly isPublic?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Makes the sandbox `locked` so. */
function make(
  { stack: { api } }: TestGateway,
  { isPublic = false, labels = {} }: Labelled,
): void {
  Object.assign(api.sandbox("locked"), { public: isPublic, labels });
}

/** Who comes, and what they are told: `ok`, or a code. */
async function answersOf(
  gateway: TestGateway,
  memberKey: string,
  port = 3000,
): Promise<Record<string, string>> {
  const host = `${port}-locked.${BASE}`;
  GRANTS.grants.set(
    "tg_locked",
    grantOf({
      sandboxId: gateway.stack.api.sandbox("locked").id,
      ports: [3000, 8000],
    }),
  );
  const visitors: Record<string, [string, Record<string, string>]> = {
    anyone: [host, {}],
    grant: [host, { "x-porthole-token": "tg_locked" }],
    link: [`${port}-${KEYS.signedToken}.${BASE}`, {}],
    token: [host, TOKEN],
    member: [host, { authorization: `Bearer ${memberKey}` }],
  };
  const answers: Record<string, string> = {};
  for (const [name, [host, headers]] of Object.entries(visitors)) {
    const answer = await gateway.send(host, { path: "/echo", headers });
    answers[name] = answer.status === 200 ? "ok" : answer.code ?? "?";
  }
  return answers;
}

const ALL = {
  anyone: "ok",
  grant: "ok",
  link: "ok",
  token: "ok",
  member: "ok",
};
const SHARED = { ...ALL, anyone: "login_required" };
const MEMBERS = {
  ...SHARED,
  grant: "grant_invalid",
  link: "signed_token_invalid",
};
const OFF = {
  anyone: "login_required",
  grant: "port_off",
  link: "port_off",
  token: "port_off",
  member: "port_off",
};

for (const { suffix, isHosted, memberKey, startGateway } of WORLDS) {
  /** Nobody tells whose a link of somebody else's Daytona is: labels say nothing of it. */
  const told = (answers: typeof ALL) =>
    isHosted ? { ...answers, link: "ok" } : answers;

  Deno.test(`a label closes the port of a public sandbox as far as it says${suffix}`, async () => {
    const cases: [string, typeof ALL][] = [
      ["public", ALL],
      ["share", SHARED],
      ["login", MEMBERS],
      ["members", MEMBERS],
      ["no word of ours", MEMBERS],
      ["off", { ...OFF, anyone: "port_off" }],
    ];
    for (const [word, expected] of cases) {
      await using gateway = await startGateway();
      make(gateway, { isPublic: true, labels: { "porthole.port.3000": word } });
      const answers = await answersOf(gateway, memberKey);
      assert.deepEqual(answers, told(expected), word);
      const other = await gateway.send(`8000-locked.${BASE}`);
      assert.notEqual(other.code, "login_required", "another port");
    }
  });

  Deno.test(`a label closes the port of a private sandbox further, and opens none${suffix}`, async () => {
    const cases: [Record<string, string>, typeof ALL][] = [
      [{}, SHARED],
      [{ "porthole.port.*": "public" }, SHARED],
      [{ "porthole.port.3000": "share" }, SHARED],
      [{ "porthole.port.*": "members" }, MEMBERS],
      [{ "porthole.port.*": "off", "porthole.port.3000": "share" }, SHARED],
      [{ "porthole.port.3000": "off" }, OFF],
    ];
    for (const [labels, expected] of cases) {
      await using gateway = await startGateway();
      make(gateway, { labels });
      const answers = await answersOf(gateway, memberKey);
      assert.deepEqual(answers, told(expected), JSON.stringify(labels));
    }
  });

  Deno.test(`the operator's ceiling beats the label, also where labels open${suffix}`, async () => {
    const labels = { "porthole.port.3000": "public" };
    for (const PORT_POLICY_OPENS of ["false", "true"]) {
      for (
        const [PORT_POLICY, expected] of [
          ["share", SHARED],
          ["members", MEMBERS],
          ["8000=public,*=members", MEMBERS],
        ] as const
      ) {
        await using gateway = await startGateway({
          PORT_POLICY,
          PORT_POLICY_OPENS,
        });
        make(gateway, { isPublic: true, labels });
        const answers = await answersOf(gateway, memberKey);
        assert.deepEqual(answers, expected, PORT_POLICY);
      }
    }
  });

  Deno.test(`with PORT_POLICY_OPENS, a label opens a port of a private sandbox, unless PUBLIC=never${suffix}`, async () => {
    const labels = { "porthole.port.3000": "public" };
    const opens = { PORT_POLICY_OPENS: "true" };
    await using gateway = await startGateway(opens);
    make(gateway, { labels });
    assert.deepEqual(await answersOf(gateway, memberKey), ALL);
    const other = await gateway.send(`8000-locked.${BASE}`);
    assert.equal(other.code, "login_required");
    await using never = await startGateway({ ...opens, PUBLIC: "never" });
    make(never, { labels });
    assert.deepEqual(await answersOf(never, memberKey), SHARED);
  });

  Deno.test(`Daytona's own services are what they are, whatever labels and operator say${suffix}`, async () => {
    await using gateway = await startGateway({ PORT_POLICY: "off" });
    make(gateway, { isPublic: true, labels: { "porthole.port.*": "off" } });
    const host = `22222-locked.${BASE}`;
    const anyone = await gateway.send(host);
    assert.equal(anyone.code, "login_required");
    const headers = { authorization: `Bearer ${memberKey}` };
    const { code } = await gateway.send(host, { headers });
    assert.notEqual(code, "port_off");
  });

  Deno.test(`labels are read with what every request needs: no question more, and none about labels for a stranger at a private sandbox${suffix}`, async () => {
    await using gateway = await startGateway();
    const { api } = gateway.stack;
    make(gateway, { isPublic: true });
    const host = `3000-locked.${BASE}`;
    for (let i = 0; i < 5; i++) {
      assert.equal((await gateway.send(host, { path: "/echo" })).status, 200);
    }
    assert.equal(api.count("getSandbox"), 1);
    assert.ok(api.count("getRunnerBySandboxId") <= 1);
    await using closed = await startGateway();
    const stranger = await closed.send(host, { path: "/echo" });
    assert.equal(stranger.code, "login_required");
    assert.ok(closed.stack.api.count("getRunnerBySandboxId") <= 1);
    assert.ok(closed.stack.api.count("getSandbox") <= 1);
  });

  Deno.test(`a port that a label has closed is stored nowhere as public, and no preflight gets by${suffix}`, async () => {
    await using gateway = await startGateway({ EDGE_CACHE: "public" });
    const { headers: open } = await gateway.send(`8000-demo.${BASE}`, {
      path: "/echo",
    });
    const words = open.get("cache-control") ?? "";
    assert.doesNotMatch(words, /private/);
    make(gateway, {
      isPublic: true,
      labels: { "porthole.port.3000": "share" },
    });
    const host = `3000-locked.${BASE}`;
    const answer = await gateway.send(host, { path: "/echo", headers: TOKEN });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("cache-control") ?? "", /private|no-store/);
    const before = gateway.stack.api.count("getSandbox");
    const preflight = await gateway.send(host, {
      method: "OPTIONS",
      path: "/echo",
      headers: {
        "origin": "https://evil.example",
        "access-control-request-method": "GET",
      },
    });
    assert.equal(preflight.headers.get("x-echo"), null);
    assert.ok(preflight.status === 204 || preflight.status === 200);
    assert.equal(gateway.stack.api.count("getSandbox"), before);
  });

  Deno.test(`a stream that began while a port was open ends at the recheck once its label says otherwise${suffix}`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway({
      RUNNER_TTL_SEC: "1",
      PUBLIC_TTL_SEC: "1",
    });
    make(gateway, {
      isPublic: true,
      labels: { "porthole.port.3000": "public" },
    });
    const host = `3000-locked.${BASE}`;
    await using open = await gateway.open(
      `GET /sse HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    );
    await using members = await gateway.open(
      `GET /sse HTTP/1.1\r\nHost: ${host}\r\nX-Daytona-Preview-Token: ${KEYS.lockedToken}\r\n\r\n`,
    );
    for (const stream of [open, members]) {
      assert.match(await stream.readUntil("\r\n"), / 200 /);
    }
    make(gateway, {
      isPublic: true,
      labels: { "porthole.port.3000": "members" },
    });
    let hasEnded = false;
    const ended = members.readToEnd().finally(() => hasEnded = true);
    clock.pass(RECHECK_MS);
    await open.readToEnd();
    const still = await gateway.send(host, { path: "/echo", headers: TOKEN });
    assert.equal(still.status, 200);
    assert.equal((await gateway.send(host)).code, "login_required");
    assert(!hasEnded, "a member's goes on");
    make(gateway, { isPublic: true, labels: { "porthole.port.3000": "off" } });
    clock.pass(RECHECK_MS);
    await ended;
  });

  Deno.test(`a label closes the port of a sandbox that is archived, too${suffix}`, async () => {
    await using gateway = await startGateway();
    make(gateway, { isPublic: true, labels: { "porthole.port.*": "off" } });
    const { api, runner } = gateway.stack;
    api.sandbox("locked").state = "archived";
    runner.containers.delete("locked");
    const host = `3000-locked.${BASE}`;
    for (const headers of [{}, TOKEN]) {
      const { code } = await gateway.send(host, { headers });
      assert.equal(code, "port_off");
    }
  });
}

Deno.test("where labels open, a made-up host costs as many questions as elsewhere", async () => {
  await using stack = await startStack();
  const settings = { PORT_POLICY_OPENS: "true" };
  await using gateway = await startGatewayOf(stack, settings);
  for (let nth = 0; nth < 3; nth++) {
    const { code } = await gateway.send(`3000-made-up.${BASE}`);
    assert.equal(code, "login_required");
  }
  const asked = stack.api.calls.map(({ operation }) => operation);
  assert.deepEqual(
    asked.filter((one) => one !== "ConfigController_getConfig").toSorted(),
    [
      "getRunnerBySandboxId",
      "getSandbox",
      "isSandboxPublic",
    ],
  );
});

Deno.test("while the API does not tell a sandbox's labels, nobody is let in whom they may keep out", async () => {
  using clock = skewClock();
  await using stack = await startStack();
  await using gateway = await startGatewayOf(stack);
  make(gateway, { isPublic: true, labels: { "porthole.port.3000": "off" } });
  async function codes(): Promise<(string | null)[]> {
    const told = [];
    for (const headers of [{}, TOKEN]) {
      told.push((await gateway.send(LOCKED, { path: "/echo", headers })).code);
    }
    return told;
  }
  stack.api.fault = ({ operation }, answer) =>
    operation === "getSandbox" ? new Response(null, { status: 503 }) : answer();
  assert.deepEqual(await codes(), ["api_unreachable", "api_unreachable"]);
  stack.api.fault = undefined;
  clock.jump(3_000);
  assert.deepEqual(await codes(), ["port_off", "port_off"]);
});

test("what a label closes ends at every gateway within one recheck, also while the API is slow", async (tier) => {
  using clock = fakeClock();
  using work = backgroundWork();
  clock.pass(1); // a time of 0 is none to what expires
  await using stack = await startStack();
  // Whether it is public is still known then: the gateways would wait for each other's answer to that.
  const settings = { ...tier.environment, RUNNER_TTL_SEC: "1" };
  await using first = await startGatewayOf(stack, settings);
  await using second = await startGatewayOf(stack, settings);
  const sandbox = stack.api.sandbox("locked");
  Object.assign(sandbox, { public: true, labels: {} });
  const sockets = [];
  for (const { port } of [first, second]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      headers: { host: LOCKED },
    });
    await once(socket, "open");
    sockets.push(once(socket, "close"));
  }
  sandbox.labels = { "porthole.port.*": "members" };
  await work.settled();
  const { api } = stack;
  const before = api.count("getSandbox");
  const slow = Promise.withResolvers<void>();
  api.fault = async ({ operation }, answer) => {
    if (operation === "getSandbox") await slow.promise;
    return await answer();
  };
  clock.pass(RECHECK_MS);
  const haveAsked = () => api.count("getSandbox") === before + 2;
  await assertEventually(haveAsked, "both gateways ask");
  clock.pass(SLOW_MS);
  slow.resolve();
  for (const closed of sockets) assert.equal((await closed)[0], 1008);
  for (const gateway of [first, second]) {
    const { code } = await gateway.send(LOCKED);
    assert.equal(code, "login_required");
  }
});
