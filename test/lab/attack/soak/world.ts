/** The world around the gateway: the test stack, hostile sandboxes, and an app that dies. */
import { createServer } from "node:http";
import { listenOnLoopback } from "../../../../scripts/stand_in/loopback.ts";
import {
  KEYS,
  type Stack,
  startStack,
} from "../../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../../support/add_sandbox.ts";
import { createBrowser } from "../../../support/login.ts";
import { BASE, hostOf } from "../attack.ts";
import { RUNTIME } from "../../harness/small_memory.ts";
import { Thread } from "../../harness/thread.ts";
import type { HostileCalls } from "./hostile.ts";

/** Ports of both sandboxes besides their app's. */
export const PORTS = {
  /** An app that dies in the middle of its responses. */
  dying: 3001,
  /** Nothing listens there. */
  closed: 3002,
  /** The web terminal's, which is private and has no preview warning; the app answers there as well. */
  terminal: 22_222,
} as const;

/** The host of the public sandbox's app. */
export const DEMO = hostOf("demo");

/** The host of the private sandbox's app. */
export const LOCKED = hostOf("locked");

/** Public sandboxes whose app and clients attack the gateway. */
const HOSTILE = ["hostile-1", "hostile-2", "hostile-3"];

/**
 * Another address than the attackers', for all that lasts: at theirs, WebSockets are banned whenever they flood one, and
 * what is buffered counts for all together.
 */
export const ADDRESS = { "X-Forwarded-For": "192.0.2.1" };

/** The hosts of the hostile sandboxes. */
export const HOSTILE_HOSTS: readonly string[] = HOSTILE.map((id) => hostOf(id));

/** The running world. */
export interface SoakWorld extends AsyncDisposable {
  readonly attackers: Thread<HostileCalls>;
  readonly stack: Stack;
  /** The environment that the gateway needs. */
  readonly environment: Readonly<Record<string, string>>;
}

const ANNOUNCED_BYTES = 1024 * 1024;
const SENT_BYTES = 64 * 1024;

/** tcpmux's port, on which nothing listens. */
const UNUSED_PORT = 1;

/** Starts an app whose responses to `/length` and `/chunked` break off in the middle of the body. */
async function startDyingApp() {
  const server = createServer((request, response) => {
    const isChunked = request.url === "/chunked";
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      ...isChunked ? {} : { "Content-Length": String(ANNOUNCED_BYTES) },
    });
    response.write(new Uint8Array(SENT_BYTES), () => response.destroy());
  });
  return await listenOnLoopback(server);
}

const BUILD_LOG = "soak/image:1";

async function* buildLog(): AsyncGenerator<string> {
  for (let step = 1; step <= 20; step++) yield `step ${step} of the build\n`;
}

/**
 * Starts everything. Cached answers live briefly, so that expiry and renewal are exercised all the time. Only grants of
 * access live longer: no outage prolongs them, and they are renewed in the last quarter of their lifetime, which has to
 * be longer than an outage and the pauses between retries, so that clients with access keep it.
 */
export async function startWorld(): Promise<SoakWorld> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack({ publicHost: BASE }));
  const dying = started.use(await startDyingApp());
  const { api, runner, app } = stack;
  for (const id of ["demo", "locked"]) {
    const ports = runner.containers.get(id)?.ports;
    ports?.set(PORTS.dying, dying.port);
    ports?.set(PORTS.closed, UNUSED_PORT);
    ports?.set(PORTS.terminal, app.port);
  }
  const attackers = started.use(
    new Thread<HostileCalls>(new URL("./hostile.ts", import.meta.url)),
  );
  const hostilePort = await attackers.call("serve");
  for (const id of HOSTILE) addSandbox(stack, id, hostilePort);
  const locked = api.sandbox("locked");
  api.state.sandboxes.set("locked", { ...locked, snapshotRef: BUILD_LOG });
  runner.buildLogs.set(BUILD_LOG, buildLog);

  const owned = started.move();
  return {
    stack,
    attackers,
    environment: {
      ...stack.environment,
      ...RUNTIME,
      METRICS_PORT: "0",
      PREVIEW_WARNING_ENABLED: "true",
      // All clients of the load are at 127.0.0.1, and say which address they stand for.
      TRUSTED_PROXIES: "127.0.0.1",
      // The API shares a processor with all of the load.
      API_CLIENT_TIMEOUT_SEC: "2",
      RUNNER_TTL_SEC: "10",
      PUBLIC_TTL_SEC: "10",
      TOKEN_TTL_SEC: "60",
      TOKEN_REFUSED_TTL_SEC: "2",
      SIGNED_TOKEN_TTL_SEC: "60",
      // Full after the warm-up, so that growth by design does not look like a leak.
      CACHE_MAX_ENTRIES: "200",
      UPSTREAM_IDLE_TIMEOUT_SEC: "5",
      // What hostile apps leave hanging ends within the soak, too.
      BODY_IDLE_TIMEOUT_SEC: "60",
      SHUTDOWN_DELAY_SEC: "1",
      SHUTDOWN_TIMEOUT_SEC: "30",
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * Logs alice in to the private sandbox's terminal; resolves to the Cookie header that her browser then sends there.
 *
 * @throws {Error} with the status and path of the page where the login ended, if it failed.
 */
export async function logIn(port: number): Promise<string> {
  const url = `http://${hostOf("locked", PORTS.terminal)}/status/200`;
  const browser = createBrowser({ port });
  const { page } = await browser.open(url);
  const back = await browser.logIn(page, "alice");
  const cookie = browser.cookieAt(url);
  if (back.page.status !== 200 || cookie === "") {
    throw new Error(
      `${back.page.status} at ${new URL(back.page.url).pathname}`,
    );
  }
  return cookie;
}

/** Credentials for `locked`, as request headers. */
export const TOKEN_HEADER = { "X-Daytona-Preview-Token": KEYS.lockedToken };
export const BEARER_HEADER = { Authorization: `Bearer ${KEYS.user}` };
