/** A TCP server that survives any behaviour of its peers. */

/** A server on 127.0.0.1; disposing of it waits for all of its connections. */
export interface ConnectionServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves connections, which are closed afterwards; `serve` may fail, since any peer may leave. */
export function serveConnections(
  serve: (conn: Deno.TcpConn) => Promise<void>,
): ConnectionServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = new Set<Promise<void>>();
  async function accept(): Promise<void> {
    for await (const conn of listener) {
      const served = serve(conn).catch(() => {}).finally(() => {
        conn.close();
        serving.delete(served);
      });
      serving.add(served);
    }
  }
  const accepting = accept();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(serving);
    },
  };
}
