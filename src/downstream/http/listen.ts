/** Wraps `Deno.serve`, in particular how it shuts down. */
import { areDescriptorsShort } from "../../lib/descriptors.ts";
import { serveLastingly } from "../../platform/accept_again.ts";
import { shutDownWithin } from "../../platform/bounded_shutdown.ts";
import type { Handler } from "./handler.ts";

/** An address to listen on; port 0 means any free port. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
  /** Shares the port with other listeners that set this too: the kernel distributes connections among them. */
  readonly reusePort?: boolean;
}

export interface Listener extends ListenAddress {
  /** Rejects when it can accept no more connections; pending otherwise, and while file descriptors are short. */
  readonly failed: Promise<never>;
  /** Adds `Connection: close` to the HTTP/1.1 responses from now on: clients reconnect, perhaps elsewhere (RFC 9112, 9.6). */
  startDraining(): void;
  /** Accepts no more connections, if that is possible without ending tunnels: over TLS. */
  stopAccepting(): void;
  /** Closes the port, idle connections and WebSockets; waits `timeoutMs` ms at most for requests, which may never end. */
  close(timeoutMs?: number): Promise<void>;
}

/** A listener by `Deno.serve`. */
export interface HttpServer extends Listener {
  /** Closes the port, idle connections and all WebSockets at once; resolves when no request is open. */
  shutdown(): Promise<void>;
}

/** The time that open requests have to end when closing, ms. */
export const CLOSE_TIMEOUT_MS = 1000;

/** Starts listening without TLS; throws if it cannot listen on the address: see {@linkcode explainListenError}. */
export function listen(handler: Handler, address: ListenAddress): HttpServer {
  let isDraining = false;
  const server = serveLastingly((port = address.port) =>
    Deno.serve({
      hostname: address.hostname,
      port,
      reusePort: address.reusePort ?? false,
      // Recompressing would change ETags and spend CPU time that the app chose not to spend.
      automaticCompression: false,
      onListen() {},
      // Called when a body that is being sent fails, which its exchange has recorded, or if the handler does.
      onError: () => new Response(null, { status: 500 }),
    }, (request, info) => {
      const isLast = isDraining || areDescriptorsShort();
      const answer = handler(request, info);
      if (!isLast) return answer;
      return answer instanceof Response
        ? closing(answer)
        : answer.then(closing);
    })
  );
  // A platform that decides where to listen (DENO_SERVE_ADDRESS) may choose something other than a TCP port.
  const bound: Deno.Addr = server.addr;
  return {
    hostname: "hostname" in bound ? bound.hostname : address.hostname,
    port: "port" in bound ? bound.port : address.port,
    failed: server.failed,
    startDraining() {
      isDraining = true;
    },
    // Closing the port of `Deno.serve` also closes its WebSockets, so it stays open as long as there may be any.
    stopAccepting() {},
    shutdown: () => server.shutdown(),
    close: (timeoutMs = CLOSE_TIMEOUT_MS) => shutDownWithin(server, timeoutMs),
  };
}

/** The last response on its connection, if that is HTTP/1.1: over HTTP/2 `Deno.serve` drops the header. */
function closing(response: Response): Response {
  // A 101 ends HTTP on its connection anyway.
  if (response.status !== 101) response.headers.set("connection", "close");
  return response;
}
