/** The app on port 3000 of the stack's sandboxes: a page, and an endpoint for everything that a proxy has to handle. */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { pipeline, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import page from "./demo_page.html" with { type: "text" };
import { listenOnLoopback, type Loopback } from "./loopback.ts";
import { headerLines } from "./runner_forward.ts";
import { acceptor } from "./server_socket.ts";

/** Starts the app on a free port. */
export function startDemoApp(): Promise<Loopback> {
  const server = createServer(answer);
  server.on("upgrade", (message, socket, head) => {
    if (pathOf(message) === "/ws") {
      accept(message, socket, head, (webSocket) => {
        webSocket.on("message", (data, isBinary) => {
          webSocket.send(data, { binary: isBinary });
        });
      });
    } else {
      socket.end(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      );
    }
  });
  return listenOnLoopback(server);
}

/** For the WebSocket that echoes every message. */
const accept = acceptor({
  maxPayload: 64 * 1024 * 1024,
  // Select the first subprotocol offered (RFC 6455 section 4.2.2), if any.
  handleProtocols: ([first]) => first ?? false,
});

/** An exchange, with access to its query. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The value of a query parameter in decimal digits; `fallback` if it has another form or is missing. */
  number(name: string, fallback: number): number;
}

type Endpoint = (exchange: Exchange) => void | Promise<void>;

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "/"({ response }) {
    send(response, page, { "Content-Type": "text/html; charset=utf-8" });
  },

  /** The request as received, with at most the first 64 KiB of the body. */
  async "/echo"({ request, response }) {
    const { length, start } = await readBody(request);
    sendJson(response, {
      method: request.method,
      url: request.url,
      headers: headerLines(request),
      bodyLength: length,
      body: start.toString(),
    });
  },

  /** Accepts a body of any size, and responds with its length. */
  async "/upload"({ request, response }) {
    const { length } = await readBody(request);
    sendJson(response, { bytes: length });
  },

  /** `?size=` zero bytes with Content-Length, in constant memory. */
  "/bytes"({ response, number }) {
    const size = number("size", 1_048_576);
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(size),
    });
    pipeline(Readable.from(zeros(size)), response, ignore);
  },

  /** Server-sent events: `?count=` of them, endless by default, `?interval=` milliseconds apart. */
  "/sse"({ response, number }) {
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache",
    });
    const events = ticks({
      count: number("count", Infinity),
      intervalMs: number("interval", 300),
      signal: closed.signal,
    });
    pipeline(Readable.from(events), response, ignore);
  },

  /** Ten Set-Cookie lines with a comma in each. */
  "/cookies"({ response }) {
    const lines = Array.from(
      { length: 10 },
      (_, i) =>
        `app_${i}=${i}; Path=/; Expires=Wed, 01 Jan 2098 00:00:00 GMT; SameSite=Lax`,
    );
    send(response, "Ten cookies.\n", { "Set-Cookie": lines });
  },

  "/gzip"({ response }) {
    const body = gzipSync("Compressed by the app.\n".repeat(200));
    send(response, body, {
      "Content-Type": "text/plain",
      "Content-Encoding": "gzip",
    });
  },

  /** Responds after `?ms=` milliseconds. */
  "/slow"({ response, number }) {
    const timer = setTimeout(
      () => send(response, "At last.\n"),
      number("ms", 2000),
    );
    response.once("close", () => clearTimeout(timer));
  },
};

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request);
  const query = new URLSearchParams(request.url?.slice(path.length));
  const endpoint = ENDPOINTS[path] ?? statusEndpoint(path);
  try {
    await endpoint({
      request,
      response,
      number(name, fallback) {
        const text = query.get(name) ?? "";
        return /^\d+$/.test(text) ? Number(text) : fallback;
      },
    });
  } catch {
    // The client aborted in the middle of its body.
    response.destroy();
  }
}

/** `/status/{code}` responds with that status, any unknown path with 404. */
function statusEndpoint(path: string): Endpoint {
  const code = Number(/^\/status\/([2-5]\d\d)$/.exec(path)?.[1] ?? 404);
  return ({ response }) => {
    response.statusCode = code;
    if (code === 204 || code === 304) response.end();
    else send(response, `Status ${code}\n`);
  };
}

function pathOf({ url = "" }: IncomingMessage): string {
  return url.replace(/\?.*$/, "");
}

function send(
  response: ServerResponse,
  body: string | Uint8Array,
  headers: Record<string, string | string[]> = {},
): void {
  response.writeHead(response.statusCode, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  }).end(body);
}

function sendJson(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value, null, 2)
    // Keep each header field on one line.
    .replace(/\[\n +("[^\n]*"),\n +("[^\n]*")\n +\]/g, "[$1, $2]");
  send(response, `${text}\n`, { "Content-Type": "application/json" });
}

const MAX_ECHO_BYTES = 65_536;

async function readBody(
  request: IncomingMessage,
): Promise<{ length: number; start: Buffer }> {
  const kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (length < MAX_ECHO_BYTES) kept.push(chunk);
    length += chunk.length;
  }
  return { length, start: Buffer.concat(kept).subarray(0, MAX_ECHO_BYTES) };
}

const ZEROS = new Uint8Array(65_536);

function* zeros(size: number): Generator<Uint8Array> {
  for (let left = size; left > 0; left -= ZEROS.length) {
    yield left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS;
  }
}

interface TickOptions {
  readonly count: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

async function* ticks(
  { count, intervalMs, signal }: TickOptions,
): AsyncGenerator<string> {
  for (let id = 1; id <= count; id++) {
    if (id > 1) await delay(intervalMs, undefined, { signal });
    yield `id: ${id}\ndata: ${new Date().toISOString()}\n\n`;
  }
}

/** Ignores errors of a pipeline: the client may abort at any time. */
function ignore(): void {}
