/** The world of a drill: nginx in front of two gateways with one Redis, a healthy runner, and one that gets into trouble. */
import { type Stack, startStack } from "../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../support/add_sandbox.ts";
import { nginxCommand } from "../../support/nginx.ts";
import { type RedisServer, startRedis } from "../../support/redis_server.ts";
import {
  type ServerProcess,
  startServerProcess,
} from "../../support/server_process.ts";
import {
  type GatewayProcess,
  startGatewayProcess,
} from "../harness/gateway.ts";
import { type Front, startFront } from "../harness/front.ts";
import { runtimeFor, SMALL_MEMORY } from "../harness/small_memory.ts";

/** The base domain of all previews. */
export const BASE = "preview.localhost";

/** Sandboxes on the healthy runner: a public and a private one. */
export const PUBLIC = "neighbour";
export const PRIVATE = "vault";

/** The number of public sandboxes on the runner that gets into trouble. */
export const TROUBLED = 100;

/** The id of one of them, from 0 on. */
export function troubledId(index: number): string {
  return `troubled-${index % TROUBLED}`;
}

/** The host of a sandbox's preview. */
export function hostOf(sandboxId: string): string {
  return `3000-${sandboxId}.${BASE}`;
}

/** How long an accepted token opens while the API is away, beyond its TTL, s. */
const TOKEN_STALE_SEC = "900";

const START_TIMEOUT_MS = 30_000;

/** The running world. */
export interface DrillWorld extends AsyncDisposable {
  readonly stack: Stack;
  /** What visitors connect to. */
  readonly port: number;
  readonly gateways: readonly GatewayProcess[];
  readonly redis: RedisServer;
  /** The runner that gets into trouble. */
  readonly troubled: ServerProcess;
  /** Adds a public sandbox to the healthy runner. */
  add(sandboxId: string): void;
  /** Moves all sandboxes of the troubled runner to the healthy one. */
  moveAway(): void;
  /** Starts the troubled runner again, after it was killed, and has its sandboxes there. */
  replaceTroubled(): Promise<void>;
}

/** Starts everything; `folder` is the checkout whose gateways are drilled, this one by default. */
export async function startDrillWorld(folder?: string): Promise<DrillWorld> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack({ publicHost: BASE }));
  const redis = started.use(await startRedis());
  const healthy = started.use(await startRunner());
  let troubled = started.use(await startRunner());

  function addTroubled(port: number): void {
    for (let index = 0; index < TROUBLED; index++) {
      addSandbox(stack, troubledId(index), port);
    }
  }

  addSandbox(stack, PUBLIC, healthy.port);
  addSandbox(stack, PRIVATE, healthy.port);
  const vault = stack.api.state.sandboxes.get(PRIVATE);
  if (vault !== undefined) vault.public = false;
  addTroubled(troubled.port);
  // The API remembers its answers for a while, as the real one does.
  stack.api.cache.isOn = true;

  const gateways: GatewayProcess[] = [];
  for (let count = 0; count < 2; count++) {
    const environment = {
      ...stack.environment,
      ...SMALL_MEMORY,
      ...runtimeFor(256),
      CACHE_URL: `redis://127.0.0.1:${redis.port}`,
      // Everybody is at 127.0.0.1, and says which address they stand for.
      TRUSTED_PROXIES: "127.0.0.1",
      TOKEN_STALE_IF_ERROR_SEC: TOKEN_STALE_SEC,
      SESSION_SECRETS: "a secret that both gateways of a drill share",
      METRICS_PORT: "0",
      SHUTDOWN_DELAY_SEC: "0",
      SHUTDOWN_TIMEOUT_SEC: "3",
    };
    const gateway = await startGatewayProcess({ folder, environment });
    gateways.push(started.use(gateway));
  }
  const { port } = started.use(
    await startNginx(gateways.map((gateway) => gateway.port)),
  );

  const owned = started.move();
  return {
    stack,
    port,
    gateways,
    redis,
    get troubled() {
      return troubled;
    },
    add: (sandboxId) => addSandbox(stack, sandboxId, healthy.port),
    moveAway: () => addTroubled(healthy.port),
    async replaceTroubled() {
      await troubled.end("SIGKILL");
      troubled = owned.use(await startRunner());
      addTroubled(troubled.port);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts a runner in a process of its own. */
export async function startRunner(): Promise<ServerProcess> {
  const script = new URL("./runner.ts", import.meta.url).pathname;
  const command = [Deno.execPath(), "run", "--quiet", "--allow-net", script];
  return await startServerProcess({ command, timeoutMs: START_TIMEOUT_MS });
}

/** nginx, which sends each preview host to the same gateway, as docs/run has it. */
function startNginx(gateways: readonly number[]): Promise<Front> {
  return startFront((folder, port) =>
    nginxCommand(
      folder,
      `access_log off;
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  upstream gateways {
    hash $host consistent;
    ${gateways.map((each) => `server 127.0.0.1:${each};`).join("\n    ")}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    client_max_body_size 0;
    location / {
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
    }
  }`,
    )
  );
}
