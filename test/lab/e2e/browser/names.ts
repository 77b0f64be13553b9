/** Names that browsers can open: a SOCKS5 proxy (RFC 1928) alone decides what they lead to. */

/** The proxy; disposing of it closes its connections. Browsers open `*.localhost` without it. */
export interface Names extends AsyncDisposable {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Ports of 127.0.0.1 that every name leads to. */
  readonly ports: Set<number>;
}

/** Whether `host:port` leads to that port of 127.0.0.1; everything else is unreachable. */
export type IsKnown = (host: string, port: number) => boolean;

const VERSION = 5;
const NO_AUTHENTICATION = [VERSION, 0];
const CONNECT = 1;
const DOMAIN_NAME = 3;
const SUCCEEDED = 0;
const HOST_UNREACHABLE = 4;
const ADDRESS_TYPE_NOT_SUPPORTED = 8;

/** Starts it on a free port. */
export function startNames(isKnown: IsKnown): Names {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ports = new Set<number>();
  const connections = new Set<Deno.TcpConn>();
  async function serve(client: Deno.TcpConn): Promise<void> {
    connections.add(client);
    try {
      const target = await connect(
        client,
        (host, port) => ports.has(port) || isKnown(host, port),
      );
      if (target === undefined) return client.close();
      connections.add(target);
      await Promise.all([
        client.readable.pipeTo(target.writable),
        target.readable.pipeTo(client.writable),
      ]);
    } catch {
      // One side went away.
    }
  }
  (async () => {
    for await (const client of listener) serve(client);
  })();
  return {
    port: listener.addr.port,
    ports,
    [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // It is closed already.
        }
      }
      return Promise.resolve();
    },
  };
}

/** Reads what a client asks for, and connects to it; undefined if it is refused. */
async function connect(
  client: Deno.TcpConn,
  isKnown: IsKnown,
): Promise<Deno.TcpConn | undefined> {
  const [, methods = 0] = await read(client, 2);
  await read(client, methods);
  await write(client, NO_AUTHENTICATION);
  const [, command, , type] = await read(client, 4);
  if (command !== CONNECT || type !== DOMAIN_NAME) {
    await write(client, reply(ADDRESS_TYPE_NOT_SUPPORTED));
    return undefined;
  }
  const [length = 0] = await read(client, 1);
  const host = new TextDecoder().decode(await read(client, length));
  const [high = 0, low = 0] = await read(client, 2);
  const port = high * 256 + low;
  if (!isKnown(host, port)) {
    await write(client, reply(HOST_UNREACHABLE));
    return undefined;
  }
  const target = await Deno.connect({ hostname: "127.0.0.1", port });
  await write(client, reply(SUCCEEDED));
  return target;
}

/** An answer with a code, and with an address that nobody reads. */
function reply(code: number): readonly number[] {
  return [VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0];
}

async function read(client: Deno.TcpConn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await client.read(bytes.subarray(at));
    if (count === null) throw new Error("closed");
    at += count;
  }
  return bytes;
}

async function write(
  client: Deno.TcpConn,
  bytes: readonly number[],
): Promise<void> {
  await client.write(Uint8Array.from(bytes));
}
