/**
 * Deno 2.9.6: when file descriptors run out, `Deno.serve` closes its port, and `finished` rejects; what is connected is
 * served on. (Of listeners: denoland/deno#10148.)
 *
 * Instead, the port is opened again each time. Whoever was waiting to be accepted is reset.
 */
import { ranOutOfDescriptors } from "../lib/descriptors.ts";

/** Time until the port is opened again, ms, and the number of servers that are remembered for their connections. */
const PAUSE_MS = 100;
const MAX_SERVERS = 20;

/** All servers on one port, of which the last one accepts. */
interface LastingServer extends Pick<Deno.HttpServer, "addr"> {
  /** Rejects when it can accept no more connections for another reason; pending otherwise. */
  readonly failed: Promise<never>;
  shutdown(): Promise<void>;
}

/** Starts a server, and others on its port for as long as that is needed; throws as `start()` does at first. */
export function serveLastingly(
  start: (port?: number) => Deno.HttpServer,
): LastingServer {
  const first = start();
  const servers = [first];
  const port = "port" in first.addr ? first.addr.port : undefined;
  let isClosing = false;
  async function last(): Promise<never> {
    let failure = await failureOf(first);
    while (!isClosing && ranOutOfDescriptors(failure)) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (isClosing) break;
      try {
        const next = start(port);
        servers.splice(0, servers.push(next) - MAX_SERVERS);
        failure = await failureOf(next);
      } catch (error) {
        failure = error;
      }
    }
    if (isClosing) return await new Promise(() => {});
    throw new Error("Cannot accept connections", { cause: failure });
  }
  return {
    addr: first.addr,
    failed: last(),
    async shutdown() {
      isClosing = true;
      await Promise.all(servers.map((server) => server.shutdown()));
    },
  };
}

function failureOf({ finished }: Deno.HttpServer): Promise<unknown> {
  return finished.then(() => new Promise(() => {}), (failure) => failure);
}
