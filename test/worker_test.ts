/** Several workers in one process, seen from outside. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { Webhook } from "standardwebhooks";
import { KEYS, startStack } from "../scripts/stand_in/stack.ts";
import { samplesOf } from "./unit/observability/metrics/parse_exposition.ts";
import { createBrowser } from "./support/login.ts";
import {
  type GatewayProcess,
  type ProcessOptions,
  startProcess,
} from "./support/process.ts";
import { redisTest, startRedis } from "./support/redis_server.ts";

const PERMISSIONS = ["-P=start", "--allow-read=./data,./src,./gen"];
const HOST = "3000-demo.proxy.localhost";
const LOCKED = "3000-locked.proxy.localhost";

/** So many connections reach both of two workers; the chance that they do not is one in a million. */
const ENOUGH = 21;

/** The time that another worker may rely on its copy of a login, plus a margin for a busy machine, ms. */
const LOGOUT_SEEN_MS = 10_000;

/** Starts a gateway with two workers and everything that they need. */
async function startWorkers(env: Record<string, string> = {}) {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack());
  const redis = started.use(await startRedis());
  const gateway = started.use(
    await startOnFreePort({
      permissions: PERMISSIONS,
      environment: {
        ...stack.environment,
        CACHE_URL: `redis://127.0.0.1:${redis.port}`,
        PROXY_PORT: "0",
        WORKERS: "2",
        ...env,
      },
    }),
  );
  // One worker listens by now; wait for both.
  for (const number of [1, 2]) await untilLogged(gateway, "listening", number);
  const callback = `http://proxy.localhost:${gateway.port}/callback`;
  stack.provider.redirectUris.add(callback);
  const all = started.move();
  return { gateway, stack, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Another process may take the port between the supervisor's choice and the first worker's listening. */
async function startOnFreePort(
  options: ProcessOptions,
): Promise<GatewayProcess> {
  for (let attempt = 1;; attempt++) {
    try {
      return await startProcess(options);
    } catch (error) {
      if (attempt === 3 || !/is taken/.test(String(error))) throw error;
    }
  }
}

/** Sends requests until that worker has logged that message; a line takes up to 100 ms to appear. */
async function untilLogged(
  { logs, ask }: GatewayProcess,
  message: string,
  worker: number,
): Promise<void> {
  while (
    !logs.some((line) => line.message === message && line.worker === worker)
  ) await ask("proxy.localhost", { path: "/health" });
}

redisTest(
  "two workers serve one port, log whole lines, and have their metrics summed",
  async () => {
    await using world = await startWorkers({
      METRICS_PORT: "0",
      SHUTDOWN_DELAY_SEC: "0",
    });
    const { gateway } = world;
    const supervising = gateway.logs.find(({ message }) =>
      message === "supervising"
    );
    for (let i = 0; i < ENOUGH; i++) {
      const { status } = await gateway.ask(HOST, { path: "/echo" });
      assert.equal(status, 200);
    }
    const scraped = await fetch(
      `http://127.0.0.1:${supervising?.metricsPort}/metrics`,
    );
    const samples = samplesOf(await scraped.text());
    const served = 'porthole_http_requests_total{route="preview",status="2xx"}';
    assert.equal(samples.get(served), ENOUGH);
    assert.equal(samples.get("porthole_http_requests_in_flight"), 0);
    const watched = await fetch(
      `http://127.0.0.1:${supervising?.metricsPort}/events`,
    );
    const reader = watched.body?.getReader() ?? assert.fail();
    const { value } = await reader.read();
    await reader.cancel();
    const event = JSON.parse(
      new TextDecoder().decode(value).replace(/^data: /, ""),
    );
    assert.equal(event.sandboxes[0]?.sandboxId, "demo");
    assert.equal(event.limits[0]?.limit, 5000); // of one worker

    assert.equal((await gateway.stop()).code, 0);
    const ids = gateway.logs.filter(({ route }) => route === "preview")
      .map(({ requestId }) => String(requestId));
    assert.equal(ids.length, ENOUGH);
    // The part before the dash identifies the worker.
    assert.equal(new Set(ids.map((id) => id.split("-")[0])).size, 2);
    const stopped = gateway.logs.filter(({ message }) => message === "stopped");
    assert.deepEqual(stopped.map(({ worker }) => worker).toSorted(), [1, 2]);
  },
);

redisTest(
  "after SIGTERM both workers serve on without being ready, and a second one ends them at once",
  async () => {
    await using world = await startWorkers({ SHUTDOWN_DELAY_SEC: "600" });
    const { gateway } = world;
    const ready = await gateway.ask("proxy.localhost", { path: "/ready" });
    assert.equal(ready.status, 200);

    const at = performance.now();
    gateway.stop();
    for (const number of [1, 2]) await untilLogged(gateway, "draining", number);
    // Any sooner, a second signal would count as an echo of the first.
    for (let i = 0; i < ENOUGH || performance.now() < at + 500; i++) {
      const { status } = await gateway.ask("proxy.localhost", {
        path: "/ready",
      });
      assert.equal(status, 503);
      assert.equal((await gateway.ask(HOST, { path: "/echo" })).status, 200);
    }
    assert.equal((await gateway.stop()).code, 143);
  },
);

redisTest(
  "a drain that runs out of time closes the tunnels of both workers with 1001, and the exit code is 0",
  async () => {
    await using world = await startWorkers({
      SHUTDOWN_DELAY_SEC: "0",
      SHUTDOWN_TIMEOUT_SEC: "0",
    });
    const { gateway } = world;
    const tunnels = Array.from(
      { length: ENOUGH },
      () =>
        new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
          headers: { host: HOST },
        }),
    );
    await Promise.all(tunnels.map((tunnel) => once(tunnel, "open")));
    const closed = Promise.all(tunnels.map((tunnel) => once(tunnel, "close")));
    const ended = gateway.stop();
    for (const [code] of await closed) assert.equal(code, 1001);
    assert.equal((await ended).code, 0);
  },
);

redisTest(
  "a login at one worker is accepted by the other, and refused within seconds after a logout",
  async () => {
    await using world = await startWorkers({ REFUSALS_PER_MINUTE: "1000000" });
    const { gateway } = world;
    const { port } = gateway;
    const url = new URL(`http://3000-locked.proxy.localhost:${port}/echo`);
    const browser = createBrowser({ port });
    const { page: form } = await browser.open(url.href);
    assert.equal((await browser.logIn(form, "alice")).page.status, 200);
    const top = { method: "GET", crossSite: false };
    const cookie = browser.jar.fieldFor(url, top) ?? "";

    /** On how many of {@linkcode ENOUGH} connections the login is accepted. */
    async function seenIn(): Promise<number> {
      let count = 0;
      for (let i = 0; i < ENOUGH; i++) {
        const { status } = await gateway.ask(url.host, {
          path: "/echo",
          headers: { cookie },
        });
        if (status === 200) count++;
      }
      return count;
    }

    assert.equal(await seenIn(), ENOUGH);
    const base = `proxy.localhost:${port}`;
    const { status } = await gateway.ask(base, {
      method: "POST",
      path: "/logout",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "origin": `http://${base}`,
        cookie,
      },
      body: "sandbox=locked",
    });
    assert.equal(status, 200);
    const until = performance.now() + LOGOUT_SEEN_MS;
    let seen = await seenIn();
    while (seen > 0 && performance.now() < until) seen = await seenIn();
    assert.equal(seen, 0);
  },
);

redisTest(
  "what one worker hears of a sandbox, the other one forgets as well",
  async () => {
    const secret = `whsec_${"MfKQ".repeat(8)}`;
    await using world = await startWorkers({
      WEBHOOK_SECRET: secret,
      SHUTDOWN_DELAY_SEC: "0",
    });
    const { gateway, stack } = world;
    const headers = { "x-daytona-preview-token": KEYS.lockedToken };
    /** How many of enough requests open the sandbox. */
    async function opened(): Promise<number> {
      let count = 0;
      for (let i = 0; i < ENOUGH; i++) {
        const { status } = await gateway.ask(LOCKED, { headers });
        if (status === 200) count++;
      }
      return count;
    }
    assert.equal(await opened(), ENOUGH);
    stack.api.sandbox("locked").authToken = "another";
    const body = '{"event":"sandbox.state.updated","id":"locked"}';
    const at = new Date();
    const signed = await gateway.ask("proxy.localhost", {
      method: "POST",
      path: "/webhooks/daytona",
      headers: {
        "webhook-id": "msg_1",
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": new Webhook(secret).sign("msg_1", at, body),
      },
      body,
    });
    assert.equal(signed.status, 204);
    // The other one hears of it within milliseconds; the verdict would count for two minutes.
    if (await opened() > 0) assert.equal(await opened(), 0);
  },
);

redisTest(
  "a second gateway cannot listen on the port that workers share",
  async () => {
    await using world = await startWorkers();
    const { port } = world.gateway;
    await assert.rejects(
      startWorkers({ PROXY_PORT: String(port) }),
      new RegExp(`exited with 1 .*Port ${port} is taken: set PROXY_PORT`),
    );
  },
);

Deno.test("several workers require a database that they can share, and permission to load their code", async () => {
  const environment = {
    DAYTONA_API_URL: "http://127.0.0.1:1/api",
    PROXY_API_KEY: "key",
    PROXY_DOMAIN: "proxy.localhost",
    WORKERS: "2",
  };
  await assert.rejects(
    startProcess({ environment, permissions: PERMISSIONS }),
    /exited with 2 .*CACHE_URL {2}is not set.*while WORKERS is not 1/s,
  );
  await assert.rejects(
    startProcess({ environment: { ...environment, REDIS_HOST: "127.0.0.1" } }),
    /exited with 2 .*WORKERS: Deno is not allowed to read .*--allow-read=\.\/data,\//,
  );
});
