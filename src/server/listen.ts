/** The plain listener. */
import type { Handler } from "../http/dispatch.ts";
import { type ListenAddress, startHttpServer } from "./http_server.ts";

/** A listener that is accepting connections. */
export interface Listener extends ListenAddress {
  /** Rejects when it can accept no more, as without file descriptors; pending otherwise. */
  readonly failed: Promise<never>;
  /** From here on answers ask HTTP/1.1 clients to take another connection next time (RFC 9112 section 9.6). */
  retire(): void;
  /** Takes no more connections, where that can be had without ending tunnels: over TLS. */
  stopAccepting(): void;
  /** Stops accepting, ends WebSockets, and waits for open requests, but no longer than `timeoutMs` ms. */
  close(timeoutMs?: number): Promise<void>;
}

/** How long open requests may take to end once everything is told to, ms. */
export const CLOSE_TIMEOUT_MS = 1000;

/**
 * Starts to listen.
 *
 * @throws {Error} If the address cannot be listened on: see {@linkcode explainListenError}.
 */
export function listen(handler: Handler, address: ListenAddress): Listener {
  const { shutdown: _, ...server } = startHttpServer(handler, address);
  return {
    ...server,
    // Closing the port of `Deno.serve` closes every WebSocket too, so it stays open as long as one may be.
    stopAccepting() {},
    close: (timeoutMs = CLOSE_TIMEOUT_MS) => server.close(timeoutMs),
  };
}
