/** A balancer of connections (layer 4): it never looks into them, so it can neither retry nor mend a request. */
import { request as httpRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** A server that connections may be sent to. */
export interface Backend {
  /** Connections sent to it so far. */
  readonly taken: number;
  /** Resolves once a check has found it so; throws where that takes far longer than anything does. */
  found(state: BackendState): Promise<void>;
  /** Checks it no more, and sends nothing there; its connections go on. */
  remove(): Promise<void>;
}

/** What `/ready` said last: a 200, or anything else. */
export type BackendState = "ready" | "not ready";

/** A running balancer. */
export interface TcpBalancer extends AsyncDisposable {
  readonly port: number;
  /** Takes in a server at a port of 127.0.0.1; nothing is sent there before it is found ready. */
  add(port: number): Backend;
}

/** A backend as the balancer itself sees it. */
interface WatchedBackend extends Backend {
  readonly state: BackendState;
  /** Opens a connection that counts as sent there. */
  connect(): Promise<Deno.TcpConn>;
}

const LOOPBACK = "127.0.0.1";

/** Pause between two checks, ms. A real balancer takes seconds; the gateway's default delay is made for that. */
const CHECK_PAUSE_MS = 50;

/** A backend that takes longer to answer a check is not ready, ms. */
const CHECK_TIMEOUT_MS = 1000;

/** How long a backend may take to become what is waited for, ms. */
const PATIENCE_MS = 10_000;

/** Starts a balancer that sends each new connection to the next ready backend in turn. */
export function startTcpBalancer(): TcpBalancer {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  const backends = new Set<WatchedBackend>();
  const conns = new Set<Deno.TcpConn>();
  const relays = new Set<Promise<void>>();
  let turn = 0;

  function keep(conn: Deno.TcpConn): Deno.TcpConn {
    conns.add(conn);
    return conn;
  }

  function close(conn: Deno.TcpConn): void {
    if (conns.delete(conn)) conn.close();
  }

  /** Carries octets both ways until both sides have ended, or either is cut. */
  async function relay(client: Deno.TcpConn): Promise<void> {
    const ready = [...backends].filter(({ state }) => state === "ready");
    const backend = ready[turn++ % ready.length];
    let server: Deno.TcpConn | undefined;
    try {
      if (backend === undefined) return;
      server = keep(await backend.connect());
      await Promise.all([copy(client, server), copy(server, client)]);
    } catch {
      // To the other side it looks like what happened to this one: cut.
    } finally {
      close(client);
      if (server !== undefined) close(server);
    }
  }

  const accepting = (async () => {
    for await (const client of listener) {
      const relaying = relay(keep(client));
      relays.add(relaying);
      relaying.finally(() => relays.delete(relaying));
    }
  })();

  return {
    port: listener.addr.port,
    add(port) {
      const backend = watch(port, () => backends.delete(backend));
      backends.add(backend);
      return backend;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all([...backends].map((backend) => backend.remove()));
      for (const conn of conns) close(conn);
      await Promise.all(relays);
    },
  };
}

async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) break;
    let rest = buffer.subarray(0, count);
    while (rest.length > 0) rest = rest.subarray(await to.write(rest));
  }
  await to.closeWrite();
}

function watch(port: number, onRemove: () => void): WatchedBackend {
  const removal = new AbortController();
  const { signal } = removal;
  const waiting = new Set<() => void>();
  let state: BackendState = "not ready";
  let taken = 0;

  const checking = (async () => {
    while (!signal.aborted) {
      state = await check(port);
      for (const look of waiting) look();
      await delay(CHECK_PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  })();

  return {
    get state() {
      return state;
    },
    get taken() {
      return taken;
    },
    connect() {
      taken++;
      return Deno.connect({ hostname: LOOPBACK, port });
    },
    async found(wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      function look(): void {
        if (state === wanted) resolve();
      }
      const timer = setTimeout(() => {
        reject(new Error(`The server at port ${port} stays ${state}`));
      }, PATIENCE_MS);
      waiting.add(look);
      look();
      await promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(look);
      });
    },
    async remove() {
      onRemove();
      removal.abort();
      await checking;
    },
  };
}

/** Asks on a connection of its own, as balancers do. */
function check(port: number): Promise<BackendState> {
  const { promise, resolve } = Promise.withResolvers<BackendState>();
  const request = httpRequest({
    host: LOOPBACK,
    port,
    path: "/ready",
    agent: false,
    timeout: CHECK_TIMEOUT_MS,
  });
  request.once("response", (response) => {
    const { statusCode } = response.resume();
    resolve(statusCode === 200 ? "ready" : "not ready");
  });
  request.once("timeout", () => request.destroy());
  request.once("error", () => resolve("not ready"));
  request.end();
  return promise;
}
