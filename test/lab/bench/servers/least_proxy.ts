// deno-lint-ignore-file no-console
/**
 * The minimum that a proxy on `Deno.serve` has to do, for the stub runner at the origin in its argument: one write and
 * one read on a persistent connection. It ignores the request and hardly parses the response, so it is not a proxy, but
 * no proxy can be cheaper.
 */

const port = Number(Deno.args[0]?.match(/\d+$/)?.[0]);

const HEAD = new TextEncoder().encode(
  "GET /sandboxes/demo/toolbox/proxy/3000/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
);
const BODY_BYTES = 1024;

interface Connection {
  readonly conn: Deno.TcpConn;
  readonly buffer: Uint8Array<ArrayBuffer>;
}

const idle: Connection[] = [];

async function connect(): Promise<Connection> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return { conn, buffer: new Uint8Array(4 * BODY_BYTES) };
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, async (_request) => {
  const connection = idle.pop() ?? await connect();
  const { conn, buffer } = connection;
  const sent = conn.write(HEAD);
  // The runner writes head and body separately.
  let end = 0;
  while (end <= BODY_BYTES) {
    const count = await conn.read(buffer.subarray(end));
    if (count === null) throw new Error("The runner has closed");
    end += count;
  }
  await sent;
  const response = new Response(buffer.subarray(end - BODY_BYTES, end));
  idle.push(connection);
  return response;
});
