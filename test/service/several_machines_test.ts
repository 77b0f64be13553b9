/** Several gateway processes with one database: what one learns is known to the others, and none depends on it. */
import assert from "node:assert/strict";
import { KEYS, type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { DEMO, LOCKED } from "../support/gateway.ts";
import { createBrowser } from "../support/login.ts";
import { type GatewayProcess, startProcess } from "../support/process.ts";
import { untilReady } from "../support/ready.ts";
import { type SharedTier, sharedTierTest } from "../support/shared_tier.ts";

const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };

/** Starts a gateway that is registered with the identity provider. */
async function startMachine(
  stack: Stack,
  tier: SharedTier,
  environment: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  await using started = new AsyncDisposableStack();
  const machine = started.use(
    await startProcess({
      environment: {
        ...stack.environment,
        ...tier.environment,
        PROXY_PORT: "0",
        SHUTDOWN_DELAY_SEC: "0",
        ...environment,
      },
    }),
  );
  const callback = `http://proxy.localhost:${machine.port}/callback`;
  stack.provider.redirectUris.add(callback);
  await untilReady(machine.port);
  started.move();
  return machine;
}

/** The time that a gateway may take to hear of a change, on a busy machine, ms. */
const HEARD_MS = 20_000;

/** The operations whose results are cached. */
const CACHED: readonly string[] = [
  "getRunnerBySandboxId",
  "isSandboxPublic",
  "isValidAuthToken",
];

/** The calls of these operations about existing sandboxes, sorted: the gateway's key is tried with an unknown one. */
function asked({ api }: Stack): string[] {
  return api.calls.filter(({ params: [id = ""] }) =>
    api.state.sandboxes.has(id)
  )
    .map(({ operation }): string => operation)
    .filter((operation) => CACHED.includes(operation)).sort();
}

sharedTierTest(
  "what one gateway has asked the API, another does not ask again",
  async (tier) => {
    await using stack = await startStack();
    await using first = await startMachine(stack, tier);
    await using second = await startMachine(stack, tier);
    const previews = [[DEMO, {}], [LOCKED, TOKEN]] as const;
    for (const [host, headers] of previews) {
      assert.equal((await first.ask(host, { headers })).status, 200);
    }
    const questions = asked(stack);
    assert.deepEqual(questions, [
      "getRunnerBySandboxId",
      "getRunnerBySandboxId",
      "isSandboxPublic",
      "isSandboxPublic",
      "isValidAuthToken",
    ]);
    // Responses do not wait for cache writes, but the end of the process does.
    assert.equal((await first.stop()).code, 0);
    for (const [host, headers] of previews) {
      assert.equal((await second.ask(host, { headers })).status, 200);
    }
    assert.deepEqual(asked(stack), questions);
  },
);

sharedTierTest(
  "a login at one gateway counts at another, and so does its end",
  async (tier) => {
    await using stack = await startStack();
    await using first = await startMachine(stack, tier);
    await using second = await startMachine(stack, tier);

    /** The cookie of a user who has logged in at the first gateway. */
    async function logIn(): Promise<string> {
      const browser = createBrowser({ port: first.port });
      const url = `http://${LOCKED}:${first.port}/echo`;
      const { page: form } = await browser.open(url);
      assert.equal((await browser.logIn(form, "alice")).page.status, 200);
      const top = { method: "GET", crossSite: false };
      return browser.jar.fieldFor(new URL(url), top) ?? "";
    }

    async function isIn(at: GatewayProcess, cookie: string): Promise<boolean> {
      const { status } = await at.ask(`${LOCKED}:${at.port}`, {
        path: "/echo",
        headers: { cookie },
      });
      return status === 200;
    }

    const [staying, leaving] = [await logIn(), await logIn()];
    assert(await isIn(second, staying));
    const base = `proxy.localhost:${first.port}`;
    const { status } = await first.ask(base, {
      method: "POST",
      path: "/logout",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "origin": `http://${base}`,
        "cookie": leaving,
      },
      body: "sandbox=locked",
    });
    assert.equal(status, 200);
    assert(!await isIn(second, leaving));
    assert(await isIn(second, staying));
  },
);

sharedTierTest(
  "the code of a login that one gateway has exchanged is worth nothing at another (SESSION_SCOPE=host)",
  async (tier) => {
    const scope = { SESSION_SCOPE: "host" };
    await using stack = await startStack();
    await using first = await startMachine(stack, tier, scope);
    await using second = await startMachine(stack, tier, scope);
    const browser = createBrowser({ port: first.port });
    const url = `http://${LOCKED}:${first.port}/echo`;
    const { page: form } = await browser.open(url);
    const { hops } = await browser.logIn(form, "alice");
    const arrival = hops.find(({ url }) => url.includes("LOGIN_CODE"));
    const { host, pathname, search } = new URL(arrival?.url ?? "");
    const top = { method: "GET", crossSite: false };
    const cookie = browser.jar.fieldFor(new URL(url), top) ?? "";

    const headers = { accept: "text/html", cookie };
    const replayed = await second.ask(host, {
      path: pathname + search,
      headers,
    });
    assert.equal(replayed.status, 303);
    assert.deepEqual(replayed.headers.getSetCookie(), []);
    // The session that it was exchanged for counts there.
    const { status } = await second.ask(host, { path: "/echo", headers });
    assert.equal(status, 200);
  },
);

sharedTierTest(
  "a start at one gateway ends what all of them know of the sandbox: links with the token of before say that they open it no longer",
  async (tier) => {
    await using stack = await startStack();
    const wake = { WAKE: "press" };
    await using first = await startMachine(stack, tier, wake);
    await using second = await startMachine(stack, tier, wake);
    const link = { path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}` };
    for (const machine of [first, second]) {
      assert.equal((await machine.ask(LOCKED, link)).status, 303);
    }
    stack.api.sandbox("locked").state = "stopped";
    const container = stack.runner.containers.get("locked") ?? assert.fail();
    container.started = false;
    stack.api.lifecycle.jobs.startMs = 0;
    const browser = createBrowser({ port: first.port });
    const { page: form } = await browser.open(`http://${LOCKED}:${first.port}`);
    const { page } = await browser.logIn(form, "alice");
    assert.equal(page.headers.get("x-porthole-error"), "sandbox_stopped");
    assert.equal((await browser.submit(page)).page.status, 200);

    const headers = { accept: "text/html" };
    // It is a matter of milliseconds; the verdict on the token would count for two minutes.
    const heardBy = performance.now() + HEARD_MS;
    for (const machine of [first, second]) {
      const ask = () => machine.ask(LOCKED, { ...link, headers });
      let answer = await ask();
      while (answer.status === 303 && performance.now() < heardBy) {
        answer = await ask();
      }
      assert.equal(answer.status, 401);
      assert.match(answer.body, /restarted, which replaces its preview token/);
    }
    const token = stack.api.sandbox("locked").authToken;
    const open = { headers: { "x-daytona-preview-token": token } };
    assert.equal((await second.ask(LOCKED, open)).status, 200);
  },
);

sharedTierTest(
  "while the database is away, every gateway answers by itself",
  async (tier) => {
    await using stack = await startStack();
    await using first = await startMachine(stack, tier);
    await using second = await startMachine(stack, tier);
    assert.equal((await first.ask(DEMO)).status, 200);
    await tier.stop();
    for (const machine of [first, second]) {
      const before = performance.now();
      assert.equal((await machine.ask(DEMO)).status, 200);
      assert.equal((await machine.ask(LOCKED, { headers: TOKEN })).status, 200);
      // A few operations of at most 250 ms each, not the client's endless retries.
      assert(performance.now() - before < 5_000);
      const ready = await machine.ask("proxy.localhost", { path: "/ready" });
      assert.equal(ready.status, 200);
      assert.equal(JSON.parse(ready.body).checks.cache, "failing");
    }
    await tier.restart();
    for (const machine of [first, second]) {
      assert.equal((await machine.ask(DEMO)).status, 200);
    }
  },
);
