/** What starts a sandbox and what does not, over all kinds of requests, tested on the complete service. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { ORGANIZATION } from "../../../../scripts/stand_in/api_state.ts";
import {
  KEYS,
  RUNNER_ID,
  type Stack,
} from "../../../../scripts/stand_in/stack.ts";
import { START_PATH } from "../../../../src/features/wake/start_form.ts";
import { startGatewayOf } from "../../../support/gateway.ts";
import { USER_AGENT } from "../../../support/login.ts";
import { startLoginGateway } from "../../../support/login_gateway.ts";
import { redisTest, startRedis } from "../../../support/redis_server.ts";
import { skewClock } from "../../../support/skewed_clock.ts";
import { testLoginsInBothWorlds as test } from "../../../support/worlds.ts";

const OPERATORS_KEY = "dtn_operator";

const HEADERS = {
  typed: { "sec-fetch-site": "none", "sec-fetch-user": "?1" },
  own: { "sec-fetch-site": "same-origin" },
  clicked: { "sec-fetch-site": "cross-site", "sec-fetch-user": "?1" },
  forced: { "sec-fetch-site": "cross-site" },
  silent: {},
} as const;

/** The kinds of each part of a request, and of what it meets. */
const KINDS = {
  method: ["GET", "HEAD", "POST", "PUT", "DELETE"],
  path: ["/", "/deep?a=b", START_PATH],
  credential: [
    "none",
    "wrong",
    "member",
    "stranger",
    "bearer",
    "token",
    "token_session",
    "link",
    "public",
    "public_member",
  ],
  from: ["typed", "own", "clicked", "forced", "silent"],
  mode: ["navigate", "no-cors", "cors", undefined],
  dest: ["document", "iframe", "image", undefined],
  purpose: [undefined, "prefetch", "prefetch;prerender"],
  agent: [USER_AGENT, "Slackbot 1.0", undefined],
  origin: [undefined, "own", "other"],
  ticket: ["good", "forged", undefined],
  state: [
    "stopped",
    "paused",
    "archived",
    "recoverable",
    "error",
    "starting",
    "started",
  ],
} as const;

/** A request, and what it meets. */
type Trial = {
  readonly [K in keyof typeof KINDS]: (typeof KINDS)[K][number];
};

const VISIT: Trial = {
  method: "GET",
  path: "/",
  credential: "member",
  from: "typed",
  mode: "navigate",
  dest: "document",
  purpose: undefined,
  agent: USER_AGENT,
  origin: undefined,
  ticket: undefined,
  state: "stopped",
};

const PRESS: Trial = {
  ...VISIT,
  method: "POST",
  path: START_PATH,
  from: "own",
  origin: "own",
  ticket: "good",
};

/** What starts, of each kind, and what is near to it: most trials differ from one of them in a few parts only. */
const BASES: readonly Trial[] = [
  VISIT,
  { ...VISIT, credential: "link" },
  { ...VISIT, credential: "token_session" },
  { ...VISIT, credential: "public" },
  { ...VISIT, credential: "public_member" },
  { ...VISIT, credential: "bearer" },
  PRESS,
  { ...PRESS, credential: "link" },
  { ...PRESS, credential: "token_session" },
  { ...PRESS, credential: "public" },
  { ...PRESS, credential: "public_member" },
  { ...PRESS, credential: "bearer", ticket: undefined, from: "silent" },
  { ...PRESS, credential: "token", ticket: undefined, from: "silent" },
];

const trials = fc.constantFrom(...BASES).chain((base) =>
  fc.record(
    Object.fromEntries(
      Object.entries(KINDS).map(([part, kinds]) => [
        part,
        fc.oneof(
          { weight: 6, arbitrary: fc.constant(base[part as keyof Trial]) },
          {
            weight: 1,
            arbitrary: fc.constantFrom<string | undefined>(...kinds),
          },
        ),
      ]),
    ),
  )
) as fc.Arbitrary<Trial>;

interface Settings {
  readonly wake: "off" | "press" | "visit";
  readonly links?: boolean;
  readonly ofPublic?: boolean;
}

/** Whether somebody who was admitted means a start, by the promises in docs/features/wake.md. */
function isMeant(trial: Trial, { wake, links, ofPublic }: Settings): boolean {
  const { method, path, credential, from, mode, dest, state } = trial;
  const canStart = ["stopped", "paused", "archived"].includes(state) ||
    state === "recoverable" &&
      ["member", "public_member", "bearer"].includes(credential);
  if (wake === "off" || !canStart) return false;
  if (method === "POST" && path === START_PATH) {
    if (credential === "bearer") return true;
    if (credential === "token") return links === true;
    const mayPress = credential === "member" ||
      credential === "public_member" && dest !== "iframe" ||
      links && ["token_session", "link"].includes(credential) ||
      ofPublic && credential === "public";
    return mayPress === true && trial.ticket === "good" &&
      trial.origin === "own" && from !== "clicked" && from !== "forced" &&
      from !== "typed" && (mode === "navigate" || mode === undefined);
  }
  return wake === "visit" && method === "GET" &&
    ["member", "public_member"].includes(credential) &&
    mode === "navigate" && dest === "document" &&
    ["typed", "clicked"].includes(from) &&
    trial.purpose === undefined && trial.agent === USER_AGENT &&
    ["stopped", "paused"].includes(state) &&
    trial.origin === undefined;
}

/** A gateway, and sandboxes of which each is used for one trial only. */
async function startTrials(settings: Settings) {
  const { wake, links = false, ofPublic = false } = settings;
  const gateway = await startLoginGateway({
    WAKE: wake,
    WAKE_PER_HOUR: "60",
    WAKE_API_KEYS: `${ORGANIZATION}=${OPERATORS_KEY}`,
    WAKE_LINKS: String(links),
    WAKE_PUBLIC: String(ofPublic),
    REFUSALS_PER_MINUTE: "1000000",
  });
  const { stack, send, port } = gateway;
  const { api, runner } = stack;
  const mayWrite = { permissions: ["write:sandboxes"] };
  for (const key of [OPERATORS_KEY, KEYS.user]) {
    api.state.apiKeys.set(key, mayWrite);
    if (!api.state.users.has(key)) api.state.users.set(key, new Set());
  }
  const app = runner.containers.get("demo") ?? assert.fail("no app");
  Object.assign(api.lifecycle.jobs, { startMs: 0, restoreMs: 0 });
  let count = 0;

  /** A new sandbox that runs. */
  function addSandbox(isPublic: boolean): string {
    const id = `trial${++count}`;
    const authToken = `${id}-token`;
    api.state.sandboxes.set(id, {
      id,
      public: isPublic,
      authToken,
      runnerId: RUNNER_ID,
      state: "started",
    });
    runner.containers.set(id, { started: true, ports: app.ports });
    for (const key of [OPERATORS_KEY, KEYS.user]) {
      api.state.users.get(key)?.add(id);
    }
    api.state.subjects.get("alice")?.add(id);
    api.state.signedTokens.set(linkOf(count), {
      sandboxId: id,
      port: 3000,
      expiresAt: Date.now() + 3_600_000,
      revoked: false,
    });
    return id;
  }

  function bringTo(id: string, state: Trial["state"]): void {
    const sandbox = api.sandbox(id);
    sandbox.state = state === "recoverable" ? "error" : state;
    if (state === "recoverable") sandbox.recoverable = true;
    const container = { started: state === "started", ports: app.ports };
    runner.containers.set(id, container);
    if (state === "archived") runner.containers.delete(id);
  }

  /** The headers by which a credential is presented. */
  async function headersOf(id: string, { credential }: Trial) {
    const host = `3000-${id}`;
    switch (credential) {
      case "wrong":
        return { "x-daytona-preview-token": "wrong-token-of-no-sandbox" };
      case "member":
      case "public_member":
      case "stranger": {
        const browser = gateway.browser();
        const returnTo = encodeURIComponent(gateway.at(host));
        const login = gateway.at("", `/login?return_to=${returnTo}`);
        const { page } = await browser.open(login);
        await browser.logIn(
          page,
          credential === "stranger" ? "mallory" : "alice",
        );
        const url = new URL(gateway.at(host));
        return cookies(browser.cookieAt(url));
      }
      case "bearer":
        return { authorization: `Bearer ${KEYS.user}` };
      case "token":
        return { "x-daytona-preview-token": `${id}-token` };
      case "token_session": {
        const { headers } = await send(`${host}.proxy.localhost:${port}`, {
          path: `/?DAYTONA_SANDBOX_AUTH_KEY=${id}-token`,
          headers: { "accept": "text/html" },
        });
        return cookies(headers.get("set-cookie")?.split(";")[0]);
      }
      default:
        return {};
    }
  }

  /** Makes the request of a trial; tells how many starts the API was asked for. */
  async function run(
    trial: Trial,
  ): Promise<{ starts: number; isThrottled: boolean }> {
    const { method, path, mode, dest, purpose, agent, origin, from } = trial;
    const id = addSandbox(trial.credential.startsWith("public"));
    const credentials = await headersOf(id, trial);
    bringTo(id, trial.state);
    const label = trial.credential === "link" ? linkOf(count) : id;
    const authority = `3000-${label}.proxy.localhost:${port}`;
    const own = `http://${authority}`;
    const optional = {
      "sec-fetch-mode": mode,
      "sec-fetch-dest": dest,
      "sec-purpose": purpose,
      "user-agent": agent,
      "origin": origin === "other" ? "https://evil.example" : origin && own,
      ...HEADERS[from],
    };
    let body: string | undefined;
    if (method === "POST" && path === START_PATH) {
      const ticket = trial.ticket === "good"
        ? await ticketFrom(authority, credentials)
        : trial.ticket;
      body = ticket && `ticket=${encodeURIComponent(ticket)}`;
    }
    const before = startsIn(stack);
    const { status, code } = await send(authority, {
      method,
      path,
      body,
      headers: {
        "accept": "text/html",
        ...credentials,
        ...present(optional),
        ...body !== undefined && { "content-length": String(body.length) },
      },
    });
    assert.ok(status < 500 || status === 503, String(status));
    return {
      starts: startsIn(stack) - before,
      isThrottled: code === "start_throttled",
    };
  }

  /** The ticket on the page that such a visitor is shown, without a visit. */
  async function ticketFrom(
    authority: string,
    credentials: Record<string, string>,
  ): Promise<string | undefined> {
    const { body } = await send(authority, {
      headers: { "accept": "text/html", ...credentials },
    });
    return /name="ticket" value="([^"]+)"/.exec(body)?.[1];
  }

  return { ...gateway, run };
}

function linkOf(count: number): string {
  return `link${String(count).padStart(12, "0")}`;
}

function cookies(cookie: string | undefined): Record<string, string> {
  return cookie === undefined ? {} : { cookie };
}

function present(
  headers: Record<string, string | undefined>,
): Record<string, string> {
  const given = Object.entries(headers).filter(([, value]) => value);
  return Object.fromEntries(given) as Record<string, string>;
}

function startsIn({ api }: Stack): number {
  return api.count("startSandbox") + api.count("recoverSandbox");
}

const SETTINGS: readonly Settings[] = [
  { wake: "off", links: true, ofPublic: true },
  { wake: "press" },
  { wake: "visit" },
  { wake: "visit", links: true, ofPublic: true },
];

for (const settings of SETTINGS) {
  Deno.test(`a request starts a sandbox if an admitted visitor means that, and never otherwise: ${JSON.stringify(settings)}`, async () => {
    await using gateway = await startTrials(settings);
    let started = 0;
    await fc.assert(
      fc.asyncProperty(trials, async (trial) => {
        const { starts, isThrottled } = await gateway.run(trial);
        const expected = isMeant(trial, settings) ? 1 : 0;
        // The visitor has used up all starts of an hour.
        if (expected === 1 && isThrottled) return;
        assert.equal(starts, expected, JSON.stringify(trial));
        started += starts;
      }),
      { numRuns: 250, endOnFailure: true },
    );
    if (settings.wake !== "off") assert.ok(started > 5, String(started));
  });
}

/** The cookies of a user who has logged in to the sandbox `locked`, which is stopped afterwards. */
async function logIn(
  gateway: Awaited<ReturnType<typeof startLoginGateway>>,
): Promise<string> {
  const { stack, at } = gateway;
  const browser = gateway.browser();
  const { page } = await browser.open(at("3000-locked"));
  await browser.logIn(page, "alice");
  putToSleep(stack);
  return browser.cookieAt(at("3000-locked")) || assert.fail("no cookie");
}

function putToSleep({ api, runner }: Stack): void {
  const sandbox = api.sandbox("locked");
  sandbox.state = "stopped";
  delete sandbox.desiredState;
  const container = runner.containers.get("locked") ?? assert.fail("none");
  container.started = false;
}

const OPENED = {
  "accept": "text/html",
  "user-agent": USER_AGENT,
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};

test("a visit leads to the app, or to the page that waits for it, without doing anything else", async (startLoginGateway) => {
  await using gateway = await startLoginGateway({ WAKE: "visit" });
  const { stack: { api }, send, port } = gateway;
  const cookie = await logIn(gateway);
  const host = `3000-locked.proxy.localhost:${port}`;
  const visit = () =>
    send(host, { path: "/deep?a=(1)", headers: { ...OPENED, cookie } });
  api.lifecycle.jobs.startMs = 3_600_000;
  const begun = await visit();
  assert.equal(begun.status, 303);
  assert.equal(begun.headers.get("location"), `http://${host}/deep?a=(1)`);
  const waiting = await visit();
  assert.equal(waiting.code, "sandbox_starting");
  assert.equal(api.count("startSandbox"), 1);
});

Deno.test("a sandbox that stops as soon as it runs is not started by visits again and again, but has its button", async () => {
  using clock = skewClock();
  await using gateway = await startLoginGateway({ WAKE: "visit" });
  const { stack, send, port } = gateway;
  const { api } = stack;
  const cookie = await logIn(gateway);
  const host = `3000-locked.proxy.localhost:${port}`;
  const visit = () => send(host, { headers: { ...OPENED, cookie } });
  api.lifecycle.jobs.startMs = 0;
  assert.equal((await visit()).status, 303);
  for (let i = 0; i < 10; i++) {
    putToSleep(stack);
    clock.jump(15_000);
    const stopped = await visit();
    assert.equal(stopped.code, "sandbox_stopped");
    assert.match(stopped.body, /<form method="post"/);
    assert.doesNotMatch(stopped.body, /http-equiv="refresh"/);
  }
  assert.equal(api.count("startSandbox"), 1);
});

Deno.test("a visit that Daytona refuses ends on a page that does not visit again, and says why to members", async () => {
  using clock = skewClock();
  await using gateway = await startLoginGateway({ WAKE: "visit" });
  const { stack: { api }, send, port } = gateway;
  const cookie = await logIn(gateway);
  api.sandbox("locked").startFailure = "no space left";
  api.lifecycle.jobs.startMs = 0;
  const host = `3000-locked.proxy.localhost:${port}`;
  const visit = () => send(host, { headers: { ...OPENED, cookie } });
  const refused = await visit();
  assert.equal(refused.code, "start_refused");
  assert.match(refused.body, /no space left/);
  assert.doesNotMatch(refused.body, /http-equiv="refresh"/);
  for (let i = 0; i < 5; i++) {
    clock.jump(3000);
    assert.equal((await visit()).code, "sandbox_error");
  }
  assert.equal(api.count("startSandbox"), 1);
});

Deno.test("a start that breaks off because the API fails ends on a page, and is not repeated", async () => {
  using clock = skewClock();
  await using gateway = await startLoginGateway({ WAKE: "visit" });
  const { stack: { api }, send, port } = gateway;
  const cookie = await logIn(gateway);
  api.beforeAnswer = ({ operation }) => {
    if (operation !== "startSandbox") return;
    api.outage = 500;
    api.beforeAnswer = undefined;
  };
  const host = `3000-locked.proxy.localhost:${port}`;
  const visit = () => send(host, { headers: { ...OPENED, cookie } });
  const failed = await visit();
  assert.equal(failed.code, "api_unreachable");
  for (let i = 0; i < 5; i++) {
    clock.jump(3000);
    assert.equal((await visit()).code, "api_unreachable");
  }
  api.outage = undefined;
  clock.jump(3000);
  const later = await visit();
  assert.match(later.body, /<form method="post"/);
  assert.equal(api.count("startSandbox"), 1);
});

redisTest(
  "a thousand visits at two gateways on one Redis start a sandbox exactly once",
  async () => {
    await using redis = await startRedis();
    const settings = {
      CACHE_URL: `redis://127.0.0.1:${redis.port}`,
      WAKE: "visit",
      MAX_EXCHANGES_PER_CLIENT: "10000",
      MAX_EXCHANGES_PER_SANDBOX: "10000",
    };
    await using first = await startLoginGateway(settings);
    const { stack } = first;
    await using second = await startGatewayOf(stack, settings);
    const cookie = await logIn(first);
    stack.api.lifecycle.jobs.startMs = 3_600_000;
    const host = `3000-locked.proxy.localhost:${first.port}`;
    const gateways = [first, second];
    // Both know the login by then.
    for (const { send } of gateways) {
      const { code } = await send(host, { headers: { cookie } });
      assert.equal(code, "sandbox_stopped");
    }
    const visits = Array.from({ length: 1000 }, (_, nth) => {
      const gateway = gateways[nth % 2] ?? assert.fail("none");
      return gateway.send(host, { headers: { ...OPENED, cookie } });
    });
    for (const { status, code } of await Promise.all(visits)) {
      assert.ok(status === 303 || code === "sandbox_starting", code ?? "");
    }
    assert.equal(stack.api.count("startSandbox"), 1);
  },
);
