/**
 * A fake of a runner and the proxies in its sandboxes, on 127.0.0.1: `/sandboxes/{id}/toolbox/proxy/{port}{path}` is
 * forwarded to a port of this machine. It uses node:http, which preserves request-targets and header lines as they were
 * sent, so that tests can compare bytes.
 */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Duplex } from "node:stream";
import { listenOnLoopback } from "./loopback.ts";
import {
  forward,
  type HeaderLines,
  headerLines,
  type LocalTarget,
  tunnel,
} from "./runner_forward.ts";

/** A sandbox on its runner. */
export interface Container {
  started: boolean;
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
export interface FakeRunner extends AsyncDisposable {
  readonly url: string;
  /** The key that it requires for all requests. */
  apiKey: string;
  /** By sandbox id. */
  readonly containers: Map<string, Container>;
  /** Build logs by the name of the image, each sent in parts. */
  readonly buildLogs: Map<string, () => AsyncIterable<string>>;
  /** The latest requests, oldest first, including refused ones. */
  readonly seen: SeenRequest[];
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
    url: loopback.url,
    apiKey,
    containers,
    buildLogs: new Map(),
    seen: [],
    [Symbol.asyncDispose]: () => loopback[Symbol.asyncDispose](),
  };

  function admit(message: IncomingMessage): Destination {
    runner.seen.push({
      method: message.method ?? "",
      target: message.url ?? "",
      headers: headerLines(message),
    });
    if (runner.seen.length > MAX_SEEN) runner.seen.shift();
    return destinationOf(message, runner);
  }
  server.on("request", (message, response) => {
    const destination = admit(message);
    if ("log" in destination) {
      sendLog(response, destination.log);
      return;
    }
    if ("status" in destination) refuse(response, destination);
    else forward(message, response, destination);
  });
  server.on("upgrade", (message, socket, head) => {
    const destination = admit(message);
    if ("log" in destination) socket.destroy();
    else if ("status" in destination) refuseUpgrade(socket, destination);
    else tunnel(message, { socket, head }, destination);
  });
  return runner;
}

/** A response of the runner itself. */
interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** A build log to send. */
interface Log {
  readonly log: AsyncIterable<string>;
}

type Destination = LocalTarget | Refusal | Log;

const ROUTE = /^\/sandboxes\/([^/?]+)\/toolbox(?:\/proxy\/(\d+))?(?=[/?]|$)/;

/** The port for a path without `/proxy/{port}`: the daemon's. */
const TOOLBOX_PORT = "2280";

function destinationOf(
  message: IncomingMessage,
  { apiKey, containers, buildLogs }: FakeRunner,
): Destination {
  const [, authorization] =
    headerLines(message).find(([name]) =>
      name.toLowerCase() === "x-daytona-authorization"
    ) ?? [];
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
  const [route, id, digits = TOOLBOX_PORT] = ROUTE.exec(target) ?? [];
  if (route === undefined || id === undefined) {
    return refusal(message, 404, "not found: no such route");
  }
  const container = containers.get(id);
  if (container === undefined) {
    return refusal(
      message,
      404,
      `not found: sandbox container not found: no such container: ${id}`,
    );
  }
  if (!container.started) {
    return refusal(
      message,
      400,
      "bad request: failed to resolve container IP after 3 attempts: no IP address found. Is the Sandbox started?",
    );
  }
  const port = Number(digits);
  if (port < 1 || port > 65_535) return { status: 502, body: "" };
  const rest = target.slice(route.length);
  return {
    localPort: container.ports.get(port) ?? port,
    port,
    target: rest.startsWith("/") ? rest : `/${rest}`,
  };
}

const CODES: Readonly<Record<number, string>> = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  404: "NOT_FOUND",
};

function refusal(
  { method, url }: IncomingMessage,
  statusCode: number,
  message: string,
): Refusal {
  const body = JSON.stringify({
    statusCode,
    message,
    code: CODES[statusCode],
    timestamp: new Date().toISOString(),
    path: url?.replace(/\?.*$/, ""),
    method,
  });
  return { status: statusCode, body };
}

async function sendLog(
  response: ServerResponse,
  log: AsyncIterable<string>,
): Promise<void> {
  response.writeHead(200, { "Content-Type": "application/octet-stream" });
  response.flushHeaders();
  for await (const part of log) response.write(part);
  response.end();
}

function refuse(response: ServerResponse, { status, body }: Refusal): void {
  response.writeHead(status, refusalHeaders(body)).end(body);
}

function refuseUpgrade(socket: Duplex, { status, body }: Refusal): void {
  const headers = { ...refusalHeaders(body), Connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${
      lines.join("")
    }\r\n${body}`,
  );
}

function refusalHeaders(body: string): Record<string, string> {
  return {
    "Content-Length": String(body.length),
    ...(body !== "" && { "Content-Type": "application/json; charset=utf-8" }),
  };
}
