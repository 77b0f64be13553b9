/** Two gateways are restarted in turn behind a front, with requests, downloads, streams of events and WebSockets open. */
import { setTimeout as delay } from "node:timers/promises";
import { startStack } from "../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../support/add_sandbox.ts";
import { freePort } from "../../support/free_port.ts";
import { LoadClient } from "../../support/load_client.ts";
import { handshakeOf } from "../../support/raw_websocket.ts";
import { untilReady } from "../../support/ready.ts";
import { startRedis } from "../../support/redis_server.ts";
import { EchoVisitor, Visits } from "../../support/visits.ts";
import {
  type AttackedGateway,
  startAttackedGateway,
} from "../attack/gateway.ts";
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
  async function start(port: number): Promise<AttackedGateway> {
    const options = { folder, environment, port };
    const gateway = started.use(await startAttackedGateway(options));
    await untilReady(port);
    return gateway;
  }
  const gateways = [await start(freePort()), await start(freePort())];
  const ports = gateways.map(({ port }) => port);
  const { port } = started.use(await startRestartFront(front, ports));

  const visitors = new RestartVisitors(port);
  visitors.start();
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

class RestartVisitors {
  readonly #client: LoadClient;
  readonly #tunnels: readonly EchoVisitor[];
  readonly #visits: Visits<RestartKind>;
  #count = 0;

  constructor(port: number) {
    const client = this.#client = new LoadClient(port, undefined, PATIENCE_MS);
    this.#tunnels = Array.from(
      { length: TUNNELS },
      (_, index) =>
        new EchoVisitor(
          { scheme: "http", port },
          handshakeOf(hostOf(`box-${index % SANDBOXES}`), "/ws"),
          PATIENCE_MS,
        ),
    );
    const each = (paceMs: number, path: string, rest = {}) => ({
      paceMs,
      maxWaiting: MAX_WAITING,
      come: () => client.send({ host: this.#nextHost(), path, ...rest }),
    });
    const length = PARTS * 1024;
    const isExpected = (body: string) => body.length === length;
    this.#visits = new Visits<RestartKind>({
      get: each(10, "/"),
      post: each(50, "/", { method: "POST", body: ["a".repeat(2_000)] }),
      download: each(500, `/drip/${PARTS}`, { isExpected }),
      events: each(500, `/events/${PARTS}`, { isExpected }),
      tunnel: {
        paceMs: 25,
        maxWaiting: MAX_WAITING,
        come: () => this.#speak(),
      },
    });
  }

  start(): void {
    this.#visits.start();
  }

  /** Ends the visits; resolves to what they saw, once the last ones are answered. */
  async stop(): ReturnType<Visits<RestartKind>["take"]> {
    await this.#visits.stop();
    const seen = await this.#visits.take();
    this.#client[Symbol.dispose]();
    for (const tunnel of this.#tunnels) await tunnel.leave();
    return seen;
  }

  #nextHost(): string {
    return hostOf(`box-${this.#count++ % SANDBOXES}`);
  }

  async #speak(): Promise<string> {
    const tunnel = this.#tunnels[this.#count++ % TUNNELS];
    return await tunnel?.speak() ?? "none";
  }
}
