/** Redis gets into trouble, under 200 requests a second at two gateways that share it. */
import { setTimeout as delay } from "node:timers/promises";
import { type Stack, startStack } from "../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../support/add_sandbox.ts";
import { createBrowser } from "../../support/login.ts";
import { quantile } from "../../support/quantile.ts";
import { untilReady } from "../../support/ready.ts";
import { send } from "../../support/send.ts";
import { Crowd } from "../harness/crowd.ts";
import {
  type GatewayProcess,
  startGatewayProcess,
} from "../harness/gateway.ts";
import type { RedisKind, RedisResult } from "./redis_report.ts";
import type { RedisTrouble } from "./redis_troubles.ts";
import { startRunner } from "./world.ts";

const PUBLIC = "open";
const PRIVATE = "vault";

/** Logins before the trouble, which both gateways have seen, and as it begins. */
const EARLY_LOGINS = 5;
const LATE_LOGINS = 2;

/** The time in which all is as usual, before and after, ms. */
const USUAL_MS = 5_000;

/** Longest time until all is as usual again, ms. */
const RECOVERY_MS = 30_000;

/** As long as anybody waits for a byte, ms, and most who do. */
const PATIENCE_MS = 20_000;
const MAX_WAITING = 5_000;

/** Between two looks at `/ready`, and two tries of a login, ms. */
const LOOK_MS = 250;

/** Brings Redis into trouble; `folder` is the checkout whose gateways use it, this one by default. */
export async function withRedisInTrouble(
  trouble: RedisTrouble,
  folder?: string,
): Promise<RedisResult> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack());
  const runner = started.use(await startRunner());
  addSandbox(stack, PUBLIC, runner.port);
  addSandbox(stack, PRIVATE, runner.port);
  const vault = stack.api.state.sandboxes.get(PRIVATE);
  if (vault !== undefined) vault.public = false;

  const redis = started.use(await trouble.start());
  const { REDIS_CA_FILE: file } = redis.environment;
  const options = {
    folder,
    environment: {
      ...stack.environment,
      ...redis.environment,
      // Everybody is one client.
      MAX_EXCHANGES_PER_CLIENT: "5000",
      SESSION_SECRETS: "a secret that both gateways of a drill share",
      SHUTDOWN_DELAY_SEC: "0",
      ACCESS_LOG: "errors",
    },
    flags: file === undefined ? [] : [`--allow-read=./data,${file}`],
  };
  const gateways: GatewayProcess[] = [];
  const ports: number[] = [];
  for (let count = 0; count < 2; count++) {
    const gateway = started.use(await startGatewayProcess(options));
    gateways.push(gateway);
    const { port } = gateway;
    const callback = `http://proxy.localhost:${port}/callback`;
    stack.provider.redirectUris.add(callback);
    await untilReady(port);
    ports.push(port);
  }

  const logins: string[] = [];
  for (let count = 0; count < EARLY_LOGINS; count++) {
    logins.push(await logInAt(ports[0] ?? 0));
  }
  const leaving = [await logInAt(ports[0] ?? 0), await logInAt(ports[0] ?? 0)];
  for (const each of leaving) await isSeen(ports, each, true);
  const visitors = startVisitors(stack, runner.port, ports, [...logins]);
  const watch = new ReadyWatch(ports);
  await delay(USUAL_MS);
  await logOutAt(ports[0] ?? 0, leaving[0] ?? "");
  const begunAt = performance.now();
  await redis.begin();
  for (let count = 0; count < LATE_LOGINS; count++) {
    logins.push(await logInAt(ports[0] ?? 0));
  }
  await logOutAt(ports[0] ?? 0, leaving[1] ?? "");
  await delay(trouble.seconds * 1000);
  for (const { hasExited, complaints } of gateways) {
    if (hasExited) throw new Error(`A gateway ended: ${complaints.join("\n")}`);
  }
  const endedAt = redis.end === undefined ? begunAt : performance.now();
  await redis.end?.();
  await watch.untilUsual();
  const sights = await visitors.stop();
  await watch.stop();
  async function counted(cookies: readonly string[], isIn: boolean) {
    const each = cookies.map((cookie) => isSeen(ports, cookie, isIn));
    const kept = (await Promise.all(each)).filter((it) => it).length;
    return { all: cookies.length, kept };
  }
  return {
    name: trouble.name,
    about: trouble.about,
    seen: Object.entries(sights).map(([kind, { latenciesMs, wrong }]) => ({
      kind: kind as RedisKind,
      count: latenciesMs.length,
      p99Ms: quantile(latenciesMs, 0.99),
      slowestMs: Math.max(...latenciesMs),
      wrong,
    })),
    logins: await counted(logins, true),
    logouts: await counted(leaving, false),
    noticedSec: watch.noticedSec(begunAt),
    usedAgainSec: watch.usedAgainSec(endedAt),
  };
}

function hostOf(sandboxId: string, port: number): string {
  return `3000-${sandboxId}.proxy.localhost:${port}`;
}

/** The cookie of a user who has just logged in; empty if that fails. */
async function logInAt(port: number): Promise<string> {
  const browser = createBrowser({ port });
  const url = `http://${hostOf(PRIVATE, port)}/`;
  await browser.openAs("alice", url);
  return browser.cookieAt(url);
}

/** Ends a login; whether the gateway could tell the other one is its own business. */
async function logOutAt(port: number, cookie: string): Promise<void> {
  const base = `proxy.localhost:${port}`;
  await send(base, {
    port,
    method: "POST",
    path: "/logout",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "origin": `http://${base}`,
      cookie,
    },
    body: `sandbox=${PRIVATE}`,
  });
}

/** True if a login counts at all gateways, or with `isIn` false at none, once they have told each other. */
async function isSeen(
  ports: readonly number[],
  cookie: string,
  isIn: boolean,
): Promise<boolean> {
  const deadline = performance.now() + RECOVERY_MS;
  for (;;) {
    const answers = await Promise.all(ports.map((port) => (
      send(hostOf(PRIVATE, port), { port, headers: { cookie } })
    )));
    if (answers.every(({ status }) => (status === 200) === isIn)) return true;
    if (performance.now() > deadline) return false;
    await delay(LOOK_MS);
  }
}

/** Looks at what `/ready` of all gateways says of the database. */
class ReadyWatch {
  readonly #looks: { readonly at: number; readonly isOk: boolean }[] = [];
  readonly #ended: Promise<void>;
  #isOver = false;

  constructor(ports: readonly number[]) {
    this.#ended = this.#watch(ports);
  }

  /** Resolves once all have been well for a while, or if that takes too long. */
  async untilUsual(): Promise<void> {
    const begun = performance.now();
    for (;;) {
      await delay(LOOK_MS);
      const now = performance.now();
      const since = Math.max(begun, now - USUAL_MS);
      const isUsual = now - begun >= USUAL_MS &&
        this.#looks.every(({ at, isOk }) => isOk || at < since);
      if (isUsual || now - begun > RECOVERY_MS) return;
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  /** The time until one of them said that it fails, s; null if none has. */
  noticedSec(since: number): number | null {
    const look = this.#looks.find(({ at, isOk }) => at >= since && !isOk);
    return look === undefined ? null : (look.at - since) / 1000;
  }

  /** The time until all of them used it again, s; null if it has never failed, or was not used again. */
  usedAgainSec(since: number): number | null {
    const last = this.#looks.findLastIndex(({ isOk }) => !isOk);
    const next = last < 0 ? undefined : this.#looks[last + 1];
    return next === undefined ? null : Math.max(0, next.at - since) / 1000;
  }

  async #watch(ports: readonly number[]): Promise<void> {
    while (!this.#isOver) {
      const at = performance.now();
      const answers = await Promise.all(ports.map((port) => (
        // If the drill fails, its gateways are gone before this ends: that is not the reason.
        send("127.0.0.1", { port, path: "/ready" }).catch(() => undefined)
      )));
      const isOk = answers.every((it) => /"cache":"ok"/.test(it?.body ?? ""));
      this.#looks.push({ at, isOk });
      await delay(LOOK_MS);
    }
  }
}

/** Has visitors come to both gateways in turn, 200 a second. */
function startVisitors(
  stack: Stack,
  runnerPort: number,
  ports: readonly number[],
  logins: readonly string[],
): Crowd<RedisKind> {
  const [first = 0] = ports;
  const crowd = new Crowd<RedisKind>({ scheme: "http", port: first }, {
    patienceMs: PATIENCE_MS,
    maxWaiting: MAX_WAITING,
  });
  const gateways = ports.map((port) => (
    { port, client: crowd.client({ scheme: "http", port }) }
  ));
  let count = 0;

  async function get(sandboxId: string, cookie?: string): Promise<string> {
    const gateway = gateways[count++ % gateways.length];
    if (gateway === undefined) return "none";
    const { client, port } = gateway;
    return await client.send({
      host: hostOf(sandboxId, port),
      path: "/",
      headers: cookie === undefined ? {} : { Cookie: cookie },
    });
  }

  crowd.start({
    public: [10, () => get(PUBLIC)],
    // Each login comes to each gateway, as the numbers of both have no common divisor.
    login: [11, () => get(PRIVATE, logins[count % logins.length] ?? "")],
    cold: [100, () => {
      const sandboxId = `cold-${count}`;
      addSandbox(stack, sandboxId, runnerPort);
      return get(sandboxId);
    }],
  });
  return crowd;
}
