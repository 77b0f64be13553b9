/** `Deno.serve`, and how it ends. */
import type { Handler } from "../http/dispatch.ts";
import { happens } from "../lib/happens.ts";

/** Where to listen; port 0 is any free one. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
  /** Whether others, who say so too, listen there as well: the system then divides the connections among them. */
  readonly reusePort?: boolean;
}

/** A running server. */
export interface HttpServer extends ListenAddress {
  /** Rejects when it can accept no more, as without file descriptors; pending otherwise. */
  readonly failed: Promise<never>;
  /** From here on answers ask HTTP/1.1 clients to take another connection next time (RFC 9112 section 9.6). */
  retire(): void;
  /** Closes the port, idle connections and every WebSocket at once; resolves when no request is open. */
  shutdown(): Promise<void>;
  /** The same, but waits no longer than `timeoutMs` ms: a half-received request may never be over. */
  close(timeoutMs: number): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws {Error} If the address cannot be listened on.
 */
export function startHttpServer(
  handler: Handler,
  address: ListenAddress,
): HttpServer {
  let isRetired = false;
  const server = Deno.serve({
    hostname: address.hostname,
    port: address.port,
    reusePort: address.reusePort ?? false,
    // Recompressing would change ETags and cost what the app decided not to spend.
    automaticCompression: false,
    onListen() {},
    onError: () => new Response(null, { status: 500 }),
  }, (request, info) => {
    const response = handler(request, info);
    return isRetired ? asLastOnConnection(response) : response;
  });
  // Where the platform says where to listen (DENO_SERVE_ADDRESS), that need not be a TCP port.
  const at: Deno.Addr = server.addr;
  return {
    hostname: "hostname" in at ? at.hostname : address.hostname,
    port: "port" in at ? at.port : address.port,
    failed: server.finished.then(() => new Promise(() => {}), (cause) => {
      throw new Error("Cannot accept connections", { cause });
    }),
    retire() {
      isRetired = true;
    },
    shutdown: () => server.shutdown(),
    // Once it shuts down, Deno.serve cannot be told to hurry: its abort signal throws then.
    async close(timeoutMs) {
      await happens(server.shutdown(), timeoutMs);
    },
  };
}

/** Over HTTP/2 `Deno.serve` leaves the field out; a 101 ends HTTP on its connection anyway. */
async function asLastOnConnection(
  answer: Response | Promise<Response>,
): Promise<Response> {
  const response = await answer;
  if (response.status !== 101) response.headers.set("connection", "close");
  return response;
}
