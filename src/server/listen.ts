/** The listener without TLS. */
import type { Handler } from "../gateway/dispatch.ts";
import {
  type BoundServer,
  type ListenAddress,
  startHttpServer,
} from "./http_server.ts";

/** A listener that is accepting connections. */
export interface Listener extends BoundServer {
  /** Accepts no more connections, if that is possible without ending tunnels: over TLS. */
  stopAccepting(): void;
  /** Stops accepting, closes WebSockets, and waits for open requests, for at most `timeoutMs` ms. */
  close(timeoutMs?: number): Promise<void>;
}

/** The time that open requests have to end when closing, ms. */
export const CLOSE_TIMEOUT_MS = 1000;

/**
 * Starts listening.
 *
 * @throws {Error} If it cannot listen on the address: see {@linkcode explainListenError}.
 */
export function listen(handler: Handler, address: ListenAddress): Listener {
  const { shutdown: _, ...server } = startHttpServer(handler, address);
  return {
    ...server,
    // Closing the port of `Deno.serve` also closes its WebSockets, so it stays open as long as there may be any.
    stopAccepting() {},
    close: (timeoutMs = CLOSE_TIMEOUT_MS) => server.close(timeoutMs),
  };
}
