/**
 * The gateway of a folder with its clients and its runner in one process, which therefore never waits for another one: its
 * processor time per request hardly depends on what else the machine does. Clients and runner know nothing of HTTP: a
 * request has ended with an empty line, a response with its last byte, which is 0.
 *
 * Arguments: the folder; the ports of the gateway, of the runner, and of who controls all this; bytes of a response,
 * connections, and the head of the requests. A connection to the third port says how many requests to send, and is told
 * when all are answered.
 */
const [folder = "", gatewayPort, runnerPort, controlPort] = Deno.args;
const [bytes, connections, head = ""] = Deno.args.slice(4);
const LOCAL = { hostname: "127.0.0.1" };
const READ_BYTES = 128 * 1024;
const LF = 0x0a;
/** Where the status of a response begins, and how. */
const STATUS = "HTTP/1.1 ".length;
const TWO = 0x32;

const encoder = new TextEncoder();
const request = encoder.encode(head);
const body = new Uint8Array(Number(bytes)).fill(0x62);
body[body.length - 1] = 0;
const start = encoder.encode(
  "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nvary: Accept-Encoding\r\n" +
    `content-length: ${bytes}\r\ndate: ${new Date().toUTCString()}\r\n\r\n`,
);
const response = new Uint8Array(start.length + body.length);
response.set(start);
response.set(body, start.length);

async function write(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  let sent = 0;
  while (sent < data.length) sent += await conn.write(data.subarray(sent));
}

async function answer(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    const read = await conn.read(buffer);
    if (read === null) return conn.close();
    if (buffer[read - 1] === LF && buffer[read - 3] === LF) {
      await write(conn, response);
    }
  }
}

async function serveRunner(): Promise<void> {
  const listener = Deno.listen({ ...LOCAL, port: Number(runnerPort) });
  for await (const conn of listener) answer(conn).catch(() => {});
}

/** A client: its connection, and what it reads into. */
type Client = readonly [conn: Deno.Conn, buffer: Uint8Array<ArrayBuffer>];

async function visit([conn, buffer]: Client): Promise<void> {
  await write(conn, request);
  for (let isFirst = true;; isFirst = false) {
    const read = await conn.read(buffer);
    if (read === null) throw new Error("The gateway has closed a connection");
    if (isFirst && buffer[STATUS] !== TWO) throw new Error("Not a 2xx");
    if (buffer[read - 1] === 0) return;
  }
}

async function control(
  conn: Deno.Conn,
  clients: readonly Client[],
): Promise<void> {
  const buffer = new Uint8Array(64);
  const read = await conn.read(buffer) ?? 0;
  let left = Number(new TextDecoder().decode(buffer.subarray(0, read)));
  await Promise.all(clients.map(async (client) => {
    while (left-- > 0) await visit(client);
  }));
  await write(conn, encoder.encode("done"));
  conn.close();
}

async function connect(): Promise<Deno.Conn> {
  for (;;) {
    try {
      return await Deno.connect({ ...LOCAL, port: Number(gatewayPort) });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

serveRunner();
import(new URL("src/main.ts", folder).href);
const clients: Client[] = [];
for (let at = 0; at < Number(connections); at++) {
  clients.push([await connect(), new Uint8Array(READ_BYTES)]);
}
const listener = Deno.listen({ ...LOCAL, port: Number(controlPort) });
for await (const conn of listener) await control(conn, clients);
