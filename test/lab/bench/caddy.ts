/** Caddy as a proxy that terminates TLS, as scripts/deploy/Caddyfile has it, for any name. */
import { freePort } from "../../support/free_port.ts";
import { CERTIFICATES } from "./nginx.ts";
import { type Server, startServer } from "./server.ts";

/** A configuration of Caddy. */
export interface CaddyOptions {
  /** The upstreams' ports on 127.0.0.1. */
  readonly upstreamPorts: readonly number[];
  readonly cpus: string | undefined;
}

/**
 * Starts Caddy in a temporary directory, which is removed with it.
 *
 * @throws {Error} if it does not listen within 10 s.
 */
export async function startCaddy(
  { upstreamPorts, cpus }: CaddyOptions,
): Promise<Server> {
  await using started = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "porthole-bench-" });
  started.defer(() => Deno.remove(directory, { recursive: true }));
  const port = freePort();
  const upstreams = upstreamPorts.map((port) => `127.0.0.1:${port}`);
  await Deno.writeTextFile(
    `${directory}/Caddyfile`,
    `{
	admin off
	auto_https off
	log {
		level ERROR
	}
	servers {
		protocols h1 h2
	}
}
https://:${port} {
	bind 127.0.0.1
	tls ${CERTIFICATES}/cert.pem ${CERTIFICATES}/key.pem
	reverse_proxy ${upstreams.join(" ")} {
		flush_interval 1ms
		header_up X-Request-Id {http.request.uuid}
		transport http {
			compression off
			keepalive_idle_conns_per_host 256
		}
	}
}
`,
  );
  const server = started.use(
    await startServer({
      command: ["caddy", "run", "--config", `${directory}/Caddyfile`],
      environment: { HOME: directory, XDG_DATA_HOME: directory },
      cpus,
      port,
    }),
  );
  const owned = started.move();
  return {
    pid: server.pid,
    port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
