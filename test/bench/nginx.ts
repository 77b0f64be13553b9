/**
 * nginx as a plain reverse proxy, configured for HTTP/1.1 and persistent connections as its documentation recommends.
 */
import { freePort } from "../support/free_port.ts";
import { nginxCommand } from "../support/nginx.ts";
import { type Server, startServer } from "./server.ts";

/** A configuration of nginx. */
export interface NginxOptions {
  /** The upstream's port on 127.0.0.1. */
  readonly upstreamPort: number;
  /** Writes an access log, with a buffer as large as the gateway's. */
  readonly logs: boolean;
  readonly cpus: string | undefined;
}

/**
 * Starts nginx in a temporary directory, which is removed with it.
 *
 * @throws {Error} if it does not listen within 10 s.
 */
export async function startNginx(
  { upstreamPort, logs, cpus }: NginxOptions,
): Promise<Server> {
  await using started = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "porthole-bench-" });
  started.defer(() => Deno.remove(directory, { recursive: true }));
  const port = freePort();
  const log = logs
    ? `${directory}/access.log combined buffer=128k flush=1s`
    : "off";
  const command = await nginxCommand(
    directory,
    `
  access_log ${log};
  client_max_body_size 0;
  keepalive_requests 1000000000;
  upstream runner {
    server 127.0.0.1:${upstreamPort};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  map $http_upgrade $connection_header { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://runner;
      proxy_http_version 1.1;
      proxy_buffering on;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
    }
  }`,
  );
  const server = started.use(await startServer({ command, cpus, port }));
  const owned = started.move();
  return {
    pid: server.pid,
    port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
