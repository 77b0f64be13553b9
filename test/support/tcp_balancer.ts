/** A layer 4 load balancer: it does not parse what it relays, so it can neither retry nor repair a request. */
import { request as httpRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** A server that connections may be relayed to. */
export interface Backend {
  /** The number of connections relayed to it so far. */
  readonly accepted: number;
  /**
   * Waits until a health check has found it in a state.
   *
   * @throws {Error} if that takes longer than 10 s.
   */
  until(state: BackendState): Promise<void>;
  /** Ends its health checks, and relays no new connections to it; open ones continue. */
  remove(): Promise<void>;
}

/** The last result of `/ready`: a 200, or anything else. */
export type BackendState = "ready" | "not ready";

/** A running balancer. */
export interface TcpBalancer extends AsyncDisposable {
  readonly port: number;
  /** Adds a server on a port of 127.0.0.1, which gets connections once a check has found it ready. */
  add(port: number): Backend;
}

/** A backend with what only the balancer needs. */
interface WatchedBackend extends Backend {
  readonly state: BackendState;
  /** Opens a connection, and counts it. */
  connect(): Promise<Deno.TcpConn>;
}

const LOOPBACK = "127.0.0.1";

/** Between two health checks, ms. Real balancers take seconds, for which the gateway's default delay is made. */
const CHECK_PAUSE_MS = 50;

/** The time that a backend may take to answer a check before it counts as not ready, ms. */
const CHECK_TIMEOUT_MS = 1000;

/** The time that a backend may take to reach a state, ms. */
const STATE_TIMEOUT_MS = 10_000;

/** Starts a balancer that relays each new connection to the next ready backend (round robin). */
export function startTcpBalancer(): TcpBalancer {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  const backends = new Set<WatchedBackend>();
  const conns = new Set<Deno.TcpConn>();
  const relays = new Set<Promise<void>>();
  let turn = 0;

  function track(conn: Deno.TcpConn): Deno.TcpConn {
    conns.add(conn);
    return conn;
  }

  function close(conn: Deno.TcpConn): void {
    if (conns.delete(conn)) conn.close();
  }

  /** Relays bytes both ways until both sides have closed, or either is cut. */
  async function relay(client: Deno.TcpConn): Promise<void> {
    const ready = [...backends].filter(({ state }) => state === "ready");
    const backend = ready[turn++ % ready.length];
    let server: Deno.TcpConn | undefined;
    try {
      if (backend === undefined) return;
      server = track(await backend.connect());
      await Promise.all([copy(client, server), copy(server, client)]);
    } catch {
      // If one side is cut, so is the other.
    } finally {
      close(client);
      if (server !== undefined) close(server);
    }
  }

  const accepting = (async () => {
    for await (const client of listener) {
      const relaying = relay(track(client));
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
  let accepted = 0;

  const checking = (async () => {
    while (!signal.aborted) {
      state = await check(port);
      for (const wake of waiting) wake();
      await delay(CHECK_PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  })();

  return {
    get state() {
      return state;
    },
    get accepted() {
      return accepted;
    },
    connect() {
      accepted++;
      return Deno.connect({ hostname: LOOPBACK, port });
    },
    async until(wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      function wake(): void {
        if (state === wanted) resolve();
      }
      const timer = setTimeout(() => {
        reject(new Error(`The server on port ${port} is still ${state}`));
      }, STATE_TIMEOUT_MS);
      waiting.add(wake);
      wake();
      await promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(wake);
      });
    },
    async remove() {
      onRemove();
      removal.abort();
      await checking;
    },
  };
}

/** Checks a backend on a new connection, as load balancers do. */
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
