/**
 * An app that attacks the gateway in front of it, on raw sockets. It stands in for its own runner too, so that nothing
 * slows its bytes down: whatever the path begins with, what follows `/proxy/{port}/` chooses the attack, such as
 * `/sandboxes/hostile/toolbox/proxy/3000/ws/pongs`.
 */
import { discard, writeAll } from "./dial.ts";
import {
  concat,
  repeat,
  serverFrame,
  switchingProtocols,
  utf8,
} from "./wire_frames.ts";

/** A running app; disposing of it closes all of its connections. */
export interface HostileApp extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** The number of connections that are open. */
  readonly connections: number;
  /** The request lines of the latest requests, oldest first. */
  readonly seen: readonly string[];
}

/** What it does on a connection after the head of a request, which `head` holds in Latin-1. */
type Act = (conn: Deno.TcpConn, head: string) => Promise<unknown>;

const MIB = 1024 * 1024;

/** Request lines that are kept. */
const MAX_SEEN = 2000;

/** What one write of a flood takes: as much as a reader's largest buffer. */
const FLOOD_BYTES = 256 * 1024;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const PING = 9;
const PONG = 10;

/** `unit`, repeated to about 256 KiB. */
export function repeated(unit: Uint8Array): Uint8Array {
  return repeat(unit, Math.max(1, Math.floor(FLOOD_BYTES / unit.length)));
}

/** Writes `unit` again and again, as fast as it is taken, until the connection fails. */
export async function flood(
  conn: Deno.Conn,
  unit: Uint8Array,
): Promise<never> {
  const bytes = repeated(unit);
  for (;;) await writeAll(conn, bytes);
}

function webSocket(act: (conn: Deno.TcpConn) => Promise<unknown>): Act {
  return async (conn, head) => {
    const [, key = ""] = /^sec-websocket-key: *(\S+)/im.exec(head) ?? [];
    await writeAll(conn, utf8(switchingProtocols(key)));
    await act(conn);
  };
}

/** Floods after the 101, beginning with `start`, while what the gateway sends is discarded. */
function frames(unit: Uint8Array, start = new Uint8Array()): Act {
  return webSocket(async (conn) => {
    const reading = discard(conn);
    await writeAll(conn, start);
    await flood(conn, unit);
    await reading;
  });
}

const CHUNKED =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";

function respond(head: string, unit: string): Act {
  return async (conn) => {
    await writeAll(conn, utf8(head));
    await flood(conn, utf8(unit));
  };
}

const OPEN_FRAGMENT = serverFrame(TEXT, "a", { final: false });

/** What the app at `headers-of-others` sends: for the front, for the browser about other hosts, and our cookies. */
export const OVERREACHING_HEADERS: readonly string[] = [
  "X-Accel-Redirect: /internal/secret",
  "X-Accel-Buffering: no",
  "X-Sendfile: /etc/passwd",
  "X-Lighttpd-Send-File: /etc/passwd",
  'Alt-Svc: h2="evil.example:443"; ma=86400',
  'NEL: {"report_to":"evil","max_age":86400}',
  'Clear-Site-Data: "cookies"',
  "Set-Cookie: porthole-session=planted; Path=/",
  "Set-Cookie: __Host-porthole-session=planted; Path=/; Secure",
  "Set-Cookie: wide=1; Domain=proxy.localhost; Path=/",
];

const ACTS: Readonly<Record<string, Act>> = {
  "ws/pongs": frames(serverFrame(PONG)),
  "ws/pings": frames(serverFrame(PING)),
  "ws/empty-fragments": frames(
    serverFrame(CONTINUATION, "", { final: false }),
    OPEN_FRAGMENT,
  ),
  "ws/byte-fragments": frames(
    serverFrame(CONTINUATION, "a", { final: false }),
    OPEN_FRAGMENT,
  ),
  "ws/empty-messages": frames(serverFrame(TEXT)),
  "ws/tiny-messages": frames(serverFrame(TEXT, "a")),
  "ws/large-messages": frames(serverFrame(BINARY, new Uint8Array(64 * 1024))),
  "ws/medium-messages": frames(
    serverFrame(BINARY, new Uint8Array(190 * 1024)),
  ),
  // 62 MiB of one message, of which the last fragment never comes.
  "ws/unfinished": webSocket(async (conn) => {
    const part = new Uint8Array(MIB - 1024);
    await writeAll(conn, serverFrame(BINARY, part, { final: false }));
    const more = serverFrame(CONTINUATION, part, { final: false });
    for (let i = 1; i < 62; i++) await writeAll(conn, more);
    await discard(conn);
  }),
  // One frame that announces 62 MiB, sent but for its last byte.
  "ws/unfinished-frame": webSocket(async (conn) => {
    const frame = serverFrame(BINARY, new Uint8Array(0));
    const length = 62 * MIB;
    await writeAll(
      conn,
      concat(
        frame.subarray(0, 1),
        new Uint8Array([
          127,
          ...[0, 0, 0, 0],
          ...[24, 16, 8, 0].map((n) => length >> n & 255),
        ]),
      ),
    );
    const part = new Uint8Array(MIB);
    for (let i = 0; i < 62; i++) {
      await writeAll(conn, i < 61 ? part : part.subarray(1));
    }
    await discard(conn);
  }),
  // It accepts, and never reads.
  "ws/unread": webSocket(() => new Promise(() => {})),
  "ws/sink": webSocket(discard),
  "chunks": respond(CHUNKED, "1\r\na\r\n"),
  "events": respond(
    CHUNKED.replace("text/plain", "text/event-stream"),
    "1\r\n:\r\n",
  ),
  "bytes": respond(
    `HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 40}\r\n\r\n`,
    "a",
  ),
  // As long as a whole answer of the gateway's own, all at once.
  "page": (conn) =>
    writeAll(
      conn,
      utf8(
        `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 62000\r\n\r\n${
          "a".repeat(62_000)
        }`,
      ),
    ),
  "interim": respond("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
  "headers": respond("HTTP/1.1 200 OK\r\n", "A: a\r\n"),
  "": (conn) =>
    writeAll(
      conn,
      utf8("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
    ),
  // A refusal such as a runner's, which the gateway has to read before it knows.
  "refusal": respond(
    'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"statusCode":40\r\n',
    "1\r\n4\r\n",
  ),
  // It never reads the upload, and never answers.
  "unread": () => new Promise(() => {}),
  "sink": async (conn) => {
    await discard(conn);
  },
  // It answers at once, and goes on while the upload comes.
  "early": async (conn) => {
    await writeAll(conn, utf8(`${CHUNKED}1\r\na\r\n`));
    await discard(conn);
  },
  // It answers at once, and never reads.
  "early-unread": async (conn) => {
    await writeAll(conn, utf8(`${CHUNKED}1\r\na\r\n`));
    await new Promise(() => {});
  },
  // It announces a length, and goes on for ever.
  "early-length": async (conn) => {
    await writeAll(
      conn,
      utf8(`HTTP/1.1 200 OK\r\nContent-Length: ${MIB}\r\n\r\na`),
    );
    await discard(conn);
  },
  // It breaks off in the middle of its answer.
  "early-broken": (conn) => writeAll(conn, utf8(`${CHUNKED}1\r\na\r\n`)),
  // The head of the request.
  "echo": (conn, head) =>
    writeAll(
      conn,
      utf8(
        `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ${head.length}\r\n\r\n${head}`,
      ),
    ),
  // Headers by which an app would act on what is not its own.
  "headers-of-others": (conn) =>
    writeAll(
      conn,
      utf8([
        "HTTP/1.1 200 OK",
        "Connection: close",
        "Content-Length: 0",
        ...OVERREACHING_HEADERS,
        "",
        "",
      ].join("\r\n")),
    ),
  "truncated": (conn) =>
    writeAll(
      conn,
      utf8("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe beginning"),
    ),
};

/** The names of all that the app can do. */
export const HOSTILE_PATHS: readonly string[] = Object.keys(ACTS);

/** Starts the app on a free port of 127.0.0.1. */
export function startHostileApp(): HostileApp {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const seen: string[] = [];

  function close(conn: Deno.TcpConn): void {
    if (open.delete(conn)) conn.close();
  }

  async function serve(conn: Deno.TcpConn): Promise<void> {
    try {
      const head = await readHead(conn);
      seen.push(head.slice(0, head.indexOf("\r\n")));
      if (seen.length > MAX_SEEN) seen.shift();
      const [, name = ""] = /^\S+ \S*\/proxy\/\d+\/([^ ?]*)/.exec(head) ?? [];
      await ACTS[name]?.(conn, head);
    } catch {
      // The gateway has closed the connection: that is what it is there for.
    } finally {
      close(conn);
    }
  }

  const accepting = (async () => {
    for await (const conn of listener) {
      open.add(conn);
      serve(conn);
    }
  })();
  const { port } = listener.addr;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return open.size;
    },
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of open) close(conn);
      await accepting;
    },
  };
}

/** Reads a head; what follows it is lost, as no attack here needs it. */
async function readHead(conn: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(64 * 1024);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("No head");
    head += decoder.decode(buffer.subarray(0, count));
  }
  return head.slice(0, head.indexOf("\r\n\r\n"));
}
