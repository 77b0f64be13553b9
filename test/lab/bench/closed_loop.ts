/**
 * `--alone`: the gateway with its clients and its runner in one process, which counts its processor time. That depends much
 * less on what else the machine does than a rate does, or the processor time of a gateway that waits for its load.
 */
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import { freePorts } from "../../support/free_port.ts";
import type { Load, Source } from "./comparison.ts";
import { IDLE_FLAG, RAISED_LIMITS } from "./contestants.ts";
import { CPU, type Reading } from "./drive.ts";
import { cpuTimeNs } from "./machine.ts";
import { denoCommand, ROOT, type Server, startServer } from "./server.ts";
import type { World } from "./world.ts";

const KIB = 1024;
const CONNECTIONS = 64;
const WARM_UP_REQUESTS = 20_000;
/** A tenth of a second or less: a disturbance affects all sources. */
const ROUND_REQUESTS = 1_000;

/** What the rows differ in. */
const ROWS: Readonly<Record<string, { kib: number; isPublic: boolean }>> = {
  "public": { kib: 1, isPublic: true },
  "private": { kib: 1, isPublic: false },
  "body-4k": { kib: 4, isPublic: true },
  "body-16k": { kib: 16, isPublic: true },
  "body-64k": { kib: 64, isPublic: true },
};

/**
 * The load of a row.
 *
 * @throws {Error} for rows that only exist with a load in another process
 */
export function closedLoop(world: World, row: string): Load {
  const { kib = 0, isPublic = false } = ROWS[row] ?? {};
  if (kib === 0) {
    throw new Error(`alone, there are ${Object.keys(ROWS).join(", ")} only`);
  }
  return {
    start: (source) => start(world, source, { bytes: kib * KIB, isPublic }),
    warmUp: (server) => drive(server, WARM_UP_REQUESTS),
    round: (server) => drive(server, ROUND_REQUESTS),
  };
}

/** Starts a process, whose gateway, runner and sandbox are its own. */
async function start(
  world: World,
  { folder = ROOT, environment }: Source,
  { bytes, isPublic }: { bytes: number; isPublic: boolean },
): Promise<Server> {
  const [gatewayPort, runnerPort, port] = freePorts(3);
  const id = `alone-${port}`;
  const authToken = `${id}-token`;
  const { stack, proxyCpu } = world;
  const { runners, sandboxes } = stack.api.state;
  const url = `http://127.0.0.1:${runnerPort}`;
  runners.set(id, { id, proxyUrl: url, apiUrl: url, apiKey: KEYS.runner });
  sandboxes.set(id, {
    ...{ id, authToken, runnerId: id },
    ...{ public: isPublic, state: "started" },
  });
  const head = [
    "GET / HTTP/1.1",
    `Host: 3000-${id}.proxy.localhost`,
    ...isPublic ? [] : [`X-Daytona-Preview-Token: ${authToken}`],
  ];
  const script = new URL("servers/closed_loop.ts", import.meta.url);
  const config = new URL("deno.json", folder);
  const server = await startServer({
    command: denoCommand(
      ...[IDLE_FLAG, "--config", config.pathname, "-A", script.pathname],
      ...[folder.href, `${gatewayPort}`, `${runnerPort}`, `${port}`],
      ...[`${bytes}`, `${CONNECTIONS}`, `${head.join("\r\n")}\r\n\r\n`],
    ),
    environment: {
      ...stack.environment,
      ...RAISED_LIMITS,
      ...environment,
      PROXY_PORT: `${gatewayPort}`,
    },
    cpus: proxyCpu,
    folder,
    ...port !== undefined && { port },
  });
  return world.keep(server);
}

/** Has so many requests sent, and returns the processor time of each. */
async function drive(
  { pid, port }: Server,
  requests: number,
): Promise<Reading> {
  if (pid === undefined) throw new TypeError("A process of ours has an id");
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const before = await cpuTimeNs(pid);
  await conn.write(new TextEncoder().encode(`${requests}`));
  if (await conn.read(new Uint8Array(64)) === null) {
    throw new Error("a request was not answered by 2xx");
  }
  const after = await cpuTimeNs(pid);
  return before === undefined || after === undefined
    ? {}
    : { [CPU]: (after - before) / requests / 1000 };
}
