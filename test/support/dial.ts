/** Connections to a gateway on the loopback device, over plain TCP or over TLS. */
import { fairTurn } from "../../src/lib/fair_turn.ts";
import { CA } from "./certificates.ts";

/** How clients speak to the gateway. */
export type Scheme = "http" | "https";

/** Where a gateway listens. */
export interface Endpoint {
  readonly scheme: Scheme;
  readonly port: number;
  /** 127.0.0.1 by default; to `::1`, a client comes from that address, too. */
  readonly hostname?: string;
}

/** Connects; over TLS, `protocol` is offered by ALPN (RFC 7301), and the gateway's certificate is checked. */
export async function dial(
  { scheme, port, hostname = "127.0.0.1" }: Endpoint,
  protocol = "http/1.1",
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const conn = await Deno.connect({ hostname, port });
  conn.setNoDelay(true);
  if (scheme === "http") return conn;
  const secure = await Deno.startTls(conn, {
    hostname: "localhost",
    caCerts: [CA],
    alpnProtocols: [protocol],
  });
  try {
    await secure.handshake();
    return secure;
  } catch (error) {
    secure.close();
    throw error;
  }
}

/** Sends all of `bytes`; a flood of them lets the event loop turn. */
export async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    rest = rest.subarray(await conn.write(rest));
  }
  const turn = fairTurn();
  if (turn !== undefined) await turn;
}

/** Reads and discards what comes, until the peer closes or the connection is closed here. */
export async function discard(conn: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(256 * 1024);
  let total = 0;
  try {
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return total;
      total += count;
      const turn = fairTurn();
      if (turn !== undefined) await turn;
    }
  } catch {
    return total;
  }
}
