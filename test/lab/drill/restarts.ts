/** Two gateways are restarted in turn behind a front, with requests, downloads, streams of events and WebSockets open. */
import { setTimeout as delay } from "node:timers/promises";
import { startStack } from "../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../support/add_sandbox.ts";
import { freePort } from "../../support/free_port.ts";
import { handshakeOf } from "../../support/raw_websocket.ts";
import { untilReady } from "../../support/ready.ts";
import { startRedis } from "../../support/redis_server.ts";
import { Crowd } from "../harness/crowd.ts";
import {
  type GatewayProcess,
  startGatewayProcess,
} from "../harness/gateway.ts";
import { type RestartFront, startRestartFront } from "./restart_fronts.ts";
import type { RestartKind, RestartResult } from "./restart_report.ts";
import { BASE, hostOf, startRunner } from "./world.ts";

/** Sandboxes, so that either gateway has some. */
const SANDBOXES = 8;

const TUNNELS = 20;

/** The length of downloads and of streams of events, in parts of 100 ms. */
const PARTS = 100;

const SHUTDOWN_DELAY_SEC = 5;
const SHUTDOWN_TIMEOUT_SEC = 25;

/** The time in which all is as usual, before and after each restart, ms. */
const USUAL_MS = 10_000;

/** Longer than a drain takes, ms. */
const EXIT_MS = 60_000;

/** As long as anybody waits for a byte, ms. */
const PATIENCE_MS = 45_000;

const MAX_WAITING = 10_000;

/** Restarts both gateways behind a front; `folder` is the checkout whose gateways they are, this one by default. */
export async function restartBehind(
  front: RestartFront,
  folder?: string,
): Promise<RestartResult> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack({ publicHost: BASE }));
  const redis = started.use(await startRedis());
  const runner = started.use(await startRunner());
  for (let index = 0; index < SANDBOXES; index++) {
    addSandbox(stack, `box-${index}`, runner.port);
  }
  const environment = {
    ...stack.environment,
    CACHE_URL: `redis://127.0.0.1:${redis.port}`,
    TRUSTED_PROXIES: "127.0.0.1",
    // Everybody is one client to the fronts.
    MAX_EXCHANGES_PER_CLIENT: "5000",
    SESSION_SECRETS: "a secret that both gateways of a drill share",
    SHUTDOWN_DELAY_SEC: String(SHUTDOWN_DELAY_SEC),
    SHUTDOWN_TIMEOUT_SEC: String(SHUTDOWN_TIMEOUT_SEC),
    ACCESS_LOG: "errors",
  };
  async function start(port: number): Promise<GatewayProcess> {
    const options = { folder, environment, port };
    const gateway = started.use(await startGatewayProcess(options));
    await untilReady(port);
    return gateway;
  }
  const gateways = [await start(freePort()), await start(freePort())];
  const ports = gateways.map(({ port }) => port);
  const { port } = started.use(await startRestartFront(front, ports));

  const visitors = startVisitors(port);
  await delay(USUAL_MS);
  const drainsSec: number[] = [];
  for (const gateway of gateways) {
    const begun = performance.now();
    await gateway.askToStop(EXIT_MS);
    const code = await gateway.exitCode(EXIT_MS);
    if (code !== 0) throw new Error(`A gateway exited with ${code}`);
    drainsSec.push(Math.round((performance.now() - begun) / 1000));
    await start(gateway.port);
    await delay(USUAL_MS);
  }
  const sights = await visitors.stop();
  const seen = Object.entries(sights).map(([kind, { latenciesMs, wrong }]) => ({
    kind: kind as RestartKind,
    count: latenciesMs.length,
    wrong,
  }));
  return { front, seen, drainsSec };
}

/** Has visitors of all kinds come to a front. */
function startVisitors(port: number): Crowd<RestartKind> {
  const crowd = new Crowd<RestartKind>({ scheme: "http", port }, {
    patienceMs: PATIENCE_MS,
    maxWaiting: MAX_WAITING,
  });
  const client = crowd.client();
  const speakers = Array.from(
    { length: TUNNELS },
    (_, index) => crowd.speaker(handshakeOf(nthHost(index), "/ws")),
  );
  let count = 0;
  const send = (path: string, rest = {}) =>
    client.send({ host: nthHost(count++), path, ...rest });
  const length = PARTS * 1024;
  const isExpected = (body: string) => body.length === length;
  const form = { method: "POST", body: ["a".repeat(2_000)] };
  crowd.start({
    get: [10, () => send("/")],
    post: [50, () => send("/", form)],
    download: [500, () => send(`/drip/${PARTS}`, { isExpected })],
    events: [500, () => send(`/events/${PARTS}`, { isExpected })],
    tunnel: [
      25,
      async () => await speakers[count++ % TUNNELS]?.speak() ?? "none",
    ],
  });
  return crowd;
}

/** The hosts of all sandboxes, again and again. */
function nthHost(index: number): string {
  return hostOf(`box-${index % SANDBOXES}`);
}
