/**
 * A fake of a runner and the proxies in its sandboxes, on 127.0.0.1: `/sandboxes/{id}/toolbox/proxy/{port}{path}` is
 * forwarded to a port of this machine. It uses node:http, which preserves request-targets and header lines as they were
 * sent, so that tests can compare bytes.
 */
import { createServer, type IncomingMessage } from "node:http";
import { sleep } from "../../src/lib/backoff.ts";
import { TOOLBOX_PORT } from "./daemon.ts";
import { listenOnLoopback, type Loopback } from "./loopback.ts";
import {
  type OwnAnswer,
  refusal,
  sendOwn,
  sendOwnToSocket,
} from "./runner_answers.ts";
import {
  forward,
  type HeaderLines,
  headerLines,
  type LocalTarget,
  refuseEmpty,
  refuseEmptyUpgrade,
  tunnel,
  valuesOf,
} from "./runner_forward.ts";
import { followLog, isFollowedLog, sendLog } from "./runner_log.ts";

/** A sandbox on its runner. */
export interface Container {
  started: boolean;
  /** True if its daemon does not run: every request to an app passes through that, so no port can be reached then. */
  daemonIsDown?: boolean;
  /** The ports on 127.0.0.1 by the sandbox's ports; a port that is not listed is forwarded to the same port. */
  readonly ports: Map<number, number>;
}

/** A request as received. */
export interface SeenRequest {
  readonly method: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly headers: HeaderLines;
}

/** A running fake runner. */
export interface FakeRunner extends Omit<Loopback, "port"> {
  /** The key that it requires for all requests. */
  apiKey: string;
  /** By sandbox id. */
  readonly containers: Map<string, Container>;
  /** Build logs by the name of the image, each sent in parts. */
  readonly buildLogs: Map<string, () => AsyncIterable<string>>;
  /** The latest requests, oldest first, including refused ones. */
  readonly seen: SeenRequest[];
  /** The time for which it looks for the address of a container that is not running, ms: the real one tries for 300. */
  addressTimeoutMs: number;
}

const MAX_SEEN = 1000;

/** Starts a runner on a free port. */
export async function startFakeRunner(
  apiKey: string,
  containers: Map<string, Container>,
): Promise<FakeRunner> {
  const server = createServer({
    maxHeaderSize: 256 * 1024,
    // Longer than clients keep idle connections, as on the real one.
    keepAliveTimeout: 70_000,
  });
  server.maxHeadersCount = 0;
  const loopback = await listenOnLoopback(server);
  const runner: FakeRunner = {
    ...loopback,
    apiKey,
    containers,
    buildLogs: new Map(),
    seen: [],
    addressTimeoutMs: 0,
  };

  async function admit(message: IncomingMessage): Promise<Destination> {
    runner.seen.push({
      method: message.method ?? "",
      target: message.url ?? "",
      headers: headerLines(message),
    });
    if (runner.seen.length > MAX_SEEN) runner.seen.shift();
    const destination = destinationOf(message, runner);
    if (destination === "not running") {
      if (runner.addressTimeoutMs > 0) await sleep(runner.addressTimeoutMs);
      return refusal(message, 400, NOT_RUNNING);
    }
    return destination;
  }
  server.on("request", async (message, response) => {
    const destination = await admit(message);
    if (destination === "unreachable") refuseEmpty(response);
    else if ("log" in destination) sendLog(response, destination.log);
    else if ("status" in destination) sendOwn(response, destination);
    else if (isFollowedLog(message.method ?? "", destination.target)) {
      followLog(response, destination);
    } else forward(message, response, destination);
  });
  server.on("upgrade", async (message, socket, head) => {
    socket.on("error", () => {}); // the client may leave at any time
    const destination = await admit(message);
    if (destination === "unreachable") refuseEmptyUpgrade(socket);
    else if ("log" in destination) socket.destroy();
    else if ("status" in destination) sendOwnToSocket(socket, destination);
    else tunnel(message, { socket, head }, destination);
  });
  return runner;
}

/** A build log to send. */
interface Log {
  readonly log: AsyncIterable<string>;
}

/** Where a request goes: `unreachable` if the next hop is not there. */
type Destination = LocalTarget | OwnAnswer | Log | "unreachable";

const ROUTE = /^\/sandboxes\/([^/?]+)\/toolbox(?:\/proxy\/(\d+))?(?=[/?]|$)/;

const NOT_RUNNING =
  "bad request: failed to resolve container IP after 3 attempts: no IP address found. Is the Sandbox started?";

function destinationOf(
  message: IncomingMessage,
  { apiKey, containers, buildLogs }: FakeRunner,
): Destination | "not running" {
  const [authorization] = valuesOf(
    headerLines(message),
    "x-daytona-authorization",
  );
  if (authorization === undefined) {
    return refusal(message, 401, "authorization header required");
  }
  if (authorization !== `Bearer ${apiKey}`) {
    return refusal(message, 401, "unauthorized: invalid token");
  }
  const target = message.url ?? "";
  const [path, query] = target.split("?", 2);
  if (path === "/snapshots/logs") {
    // Like the real one, it takes the first of several.
    const ref = new URLSearchParams(query).get("snapshotRef") ?? "";
    const log = buildLogs.get(ref);
    return log === undefined
      ? refusal(message, 404, "not found: build logs not found")
      : { log: log() };
  }
  const own = ownOperation(message, containers);
  if (own !== undefined) return own;
  const [route, id, digits] = ROUTE.exec(target) ?? [];
  if (route === undefined || id === undefined) {
    return refusal(message, 404, "not found: no such route");
  }
  const container = containers.get(id);
  if (container === undefined) return noContainer(message, id);
  if (!container.started) return "not running";
  if (container.daemonIsDown) return "unreachable";
  const isApp = digits !== undefined; // otherwise it is for the daemon
  const port = isApp ? Number(digits) : TOOLBOX_PORT;
  if (port < 1 || port > 65_535) return "unreachable";
  const rest = target.slice(route.length);
  return {
    localPort: container.ports.get(port) ?? port,
    // The runner addresses the container, and the daemon its own machine.
    authority: `${isApp ? "localhost" : "127.0.0.1"}:${port}`,
    proxies: isApp ? 2 : 1,
    target: rest.startsWith("/") ? rest : `/${rest}`,
  };
}

const OWN_OPERATION = /^\/sandboxes\/([^/?]+)\/(stop|destroy)(?=\?|$)/;

/** The answer of an operation that only the API may cause; the key of a gateway opens these too. */
function ownOperation(
  message: IncomingMessage,
  containers: FakeRunner["containers"],
): OwnAnswer | undefined {
  const { method, url = "" } = message;
  const [, id = "", operation] = OWN_OPERATION.exec(url) ?? [];
  if (method !== "POST" || operation === undefined) return undefined;
  const container = containers.get(id);
  if (container === undefined) return noContainer(message, id);
  if (operation === "destroy") containers.delete(id);
  else container.started = false;
  return { status: 200, body: "" };
}

function noContainer(message: IncomingMessage, id: string): OwnAnswer {
  return refusal(
    message,
    404,
    `not found: sandbox container not found: no such container: ${id}`,
  );
}
