/** The listener: `Deno.serve` in front of a service. */
import type { Config } from "../config.ts";
import type { Handler } from "../http/dispatch.ts";

/** A listener that is accepting connections. */
export interface Listener {
  readonly hostname: string;
  readonly port: number;
  /** Stops accepting and closes what is still open, WebSockets included. */
  close(): Promise<void>;
}

/** How long a connection may take to end after it was told to, ms. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * Starts to listen.
 *
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function listen(
  handler: Handler,
  config: Pick<Config["listen"], "hostname" | "port">,
): Listener {
  const kill = new AbortController();
  const server = Deno.serve({
    hostname: config.hostname,
    port: config.port,
    // Recompressing would change ETags and cost what the app decided not to spend.
    automaticCompression: false,
    signal: kill.signal,
    onListen() {},
    onError: () => new Response(null, { status: 500 }),
  }, handler);
  return {
    hostname: server.addr.hostname,
    port: server.addr.port,
    async close() {
      // A half-received request would keep shutdown() waiting for ever.
      const timer = setTimeout(() => kill.abort(), CLOSE_TIMEOUT_MS);
      await server.shutdown();
      clearTimeout(timer);
    },
  };
}
