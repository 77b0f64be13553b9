/** Two gateways behind a load balancer are replaced one after the other, as in a rolling deployment, under load. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { DEMO, LOCKED } from "../support/gateway.ts";
import { KvConnect } from "../support/kv_connect.ts";
import { startLoad } from "../support/load.ts";
import type { RequestSpec } from "../support/load_client.ts";
import { createBrowser } from "../support/login.ts";
import { type GatewayProcess, startProcess } from "../support/process.ts";
import { type Backend, startTcpBalancer } from "../support/tcp_balancer.ts";

/** The shortest possible delay, twenty checks of the load balancer. */
const SHUTDOWN_DELAY_SEC = 1;
const SHUTDOWN_TIMEOUT_SEC = 3;

/** Longer than a gateway does not use a cache that was late, ms. */
const CACHE_TIMEOUT_MS = 10_000;

const PART = "0123456789abcdef".repeat(1024);

/** A short request that the app echoes. */
function echoed(
  headers: Readonly<Record<string, string>> = {},
): (serial: number) => RequestSpec {
  return (serial) => ({
    host: DEMO,
    path: `/echo?${serial}`,
    headers,
    isExpected: (body) => JSON.parse(body).url === `/echo?${serial}`,
  });
}

/** Requests on persistent connections; each takes far less time than the delay. */
const MIXED: readonly ((serial: number) => RequestSpec)[] = [
  echoed(),
  () => ({
    method: "POST",
    host: DEMO,
    path: "/upload",
    body: [PART, PART],
    isExpected: (body) => JSON.parse(body).bytes === 2 * PART.length,
  }),
  () => ({
    host: DEMO,
    path: "/bytes?size=200000",
    isExpected: (body) => body.length === 200_000,
  }),
  () => ({
    host: DEMO,
    path: "/slow?ms=200",
    isExpected: (body) => body === "At last.\n",
  }),
  () => ({
    host: DEMO,
    path: "/sse?count=5&interval=40",
    isExpected: (body) => body.match(/^id: \d$/gm)?.length === 5,
  }),
];

async function openTunnel(port: number): Promise<WebSocket> {
  const tunnel = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { host: DEMO },
    handshakeTimeout: 5000,
  });
  await once(tunnel, "open");
  return tunnel;
}

/** True if a message is echoed. */
function echoes(tunnel: WebSocket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  tunnel.once("message", () => resolve(true));
  tunnel.once("close", () => resolve(false));
  tunnel.send("still there?", (error: unknown) => {
    if (error) resolve(false);
  });
  return promise;
}

/** Waits until a tunnel is closed; returns the close code, and when it was received. */
async function untilClosed(
  tunnel: WebSocket,
): Promise<{ code: number; at: number }> {
  const [code] = await once(tunnel, "close");
  return { code, at: performance.now() };
}

/** Logs alice in; returns her cookies for `locked`. */
async function logIn(port: number): Promise<string> {
  const browser = createBrowser({ port });
  const url = `http://${LOCKED}:${port}/echo`;
  assert.equal((await browser.openAs("alice", url)).page.status, 200);
  return browser.cookieAt(url);
}

/**
 * The status that a gateway answers that cookie, once it can read the shared cache, which may be late on a busy
 * machine.
 */
async function statusOf({ ask }: Machine, cookie: string): Promise<number> {
  const until = performance.now() + CACHE_TIMEOUT_MS;
  for (;;) {
    const headers = { cookie };
    const { status } = await ask(LOCKED, { path: "/echo", headers });
    if (status !== 503 || performance.now() > until) return status;
  }
}

/** A gateway that is behind the load balancer, and ready. */
interface Machine extends Pick<GatewayProcess, "ask" | "stop"> {
  readonly backend: Backend;
}

/** A load balancer and what its gateways share. */
interface Installation extends AsyncDisposable {
  /** The load balancer's. */
  readonly port: number;
  start(): Promise<Machine>;
}

async function createInstallation(): Promise<Installation> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack());
  const kv = started.use(new KvConnect());
  const balancer = started.use(startTcpBalancer());
  const base = `proxy.localhost:${balancer.port}`;
  stack.provider.redirectUris.add(`http://${base}/callback`);
  const owned = started.move();
  return {
    port: balancer.port,
    async start() {
      const { port, ask, stop } = owned.use(
        await startProcess({
          environment: {
            ...stack.environment,
            CACHE_URL: kv.url,
            DENO_KV_ACCESS_TOKEN: kv.accessToken,
            PROXY_PORT: "0",
            SHUTDOWN_DELAY_SEC: String(SHUTDOWN_DELAY_SEC),
            SHUTDOWN_TIMEOUT_SEC: String(SHUTDOWN_TIMEOUT_SEC),
          },
        }),
      );
      const backend = balancer.add(port);
      await backend.until("ready");
      return { backend, ask, stop };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("two gateways behind a balancer are restarted under load: no request fails, tunnels have the drain time, and logins go on", async () => {
  await using installation = await createInstallation();
  const { port, start } = installation;
  const first = await start();
  const lasting = [await openTunnel(port), await openTunnel(port)];
  const cookie = await logIn(port);
  const second = await start();
  await using keeping = startLoad({
    port,
    clients: 8,
    requests: MIXED,
  });
  await using opening = startLoad({
    port,
    clients: 1,
    requests: [echoed({ connection: "close" })],
  });

  const toldAt = performance.now();
  const firstStatus = first.stop();
  const closures = Promise.all(lasting.map(untilClosed));
  await first.backend.until("not ready");
  const leaving = await openTunnel(port);
  for (const tunnel of [...lasting, leaving]) assert(await echoes(tunnel));
  for (const { code, at } of await closures) {
    assert.equal(code, 1001);
    // These are the clocks of two processes, in whole milliseconds.
    // In the last tenth of it, they are sent away one after another.
    assert(at - toldAt > SHUTDOWN_TIMEOUT_SEC * 900 - 5);
  }
  assert.equal((await firstStatus).code, 0);
  await first.backend.remove();
  const third = await start();

  const secondStatus = second.stop();
  const left = untilClosed(leaving);
  await second.backend.until("not ready");
  const staying = await openTunnel(port);
  assert(await echoes(leaving));
  // Once its last tunnel is closed, it closes its port and connections, without waiting for the timeout.
  leaving.close(1000);
  assert.equal((await left).code, 1000);
  assert.equal((await secondStatus).code, 0);
  await second.backend.remove();
  const fourth = await start();

  for (const load of [keeping, opening]) {
    const { answered, failures } = await load.stop();
    assert.deepEqual(failures, []);
    assert(answered > 0);
  }
  for (const machine of [third, fourth]) {
    assert.equal(await statusOf(machine, cookie), 200);
  }
  const tunnels = [staying, await openTunnel(port), await openTunnel(port)];
  for (const tunnel of tunnels) {
    assert(await echoes(tunnel));
    const closed = untilClosed(tunnel);
    tunnel.close(1000);
    assert.equal((await closed).code, 1000);
  }
  for (const { backend } of [first, second, third, fourth]) {
    assert(backend.accepted > 0);
  }
});
