/**
 * nginx as a plain reverse proxy, configured for HTTP/1.1 and persistent connections as its documentation recommends;
 * or in front of gateways, as docs/run/tls.md has it.
 */
import { freePort } from "../../support/free_port.ts";
import { nginxCommand } from "../../support/nginx.ts";
import { type Server, startServer } from "./server.ts";

/** Where the certificate for tests is. */
export const CERTIFICATES =
  new URL("../../support/tls", import.meta.url).pathname;

/** A configuration of nginx. */
export interface NginxOptions {
  /** The upstreams' ports on 127.0.0.1; connections are dealt out in turn. */
  readonly upstreamPorts: readonly number[];
  /** Writes an access log, with a buffer as large as the gateway's. */
  readonly logs?: boolean;
  /** Terminates TLS, with HTTP/2 for those who want it. */
  readonly tls?: boolean;
  /** What the upstreams are: by default, anything. */
  readonly upstreams?: "anything" | "gateways";
  readonly cpus: string | undefined;
}

const PROXYING: Readonly<Record<"anything" | "gateways", string>> = {
  anything: `
      proxy_buffering on;
      proxy_max_temp_file_size 0;
      proxy_set_header Host $host;`,
  gateways: `
      proxy_buffering off;
      proxy_buffer_size 64k;
      proxy_buffers 4 64k;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Request-Id $request_id;`,
};

/**
 * Starts nginx in a temporary directory, which is removed with it.
 *
 * @throws {Error} if it does not listen within 10 s.
 */
export async function startNginx(options: NginxOptions): Promise<Server> {
  await using started = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "porthole-bench-" });
  started.defer(() => Deno.remove(directory, { recursive: true }));
  const port = freePort();
  const command = await nginxCommand(
    directory,
    configuration(directory, port, options),
  );
  const { cpus } = options;
  const server = started.use(await startServer({ command, cpus, port }));
  const owned = started.move();
  return {
    pid: server.pid,
    port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function configuration(
  directory: string,
  port: number,
  { upstreamPorts, logs = false, tls = false, upstreams = "anything" }:
    NginxOptions,
): string {
  const log = logs
    ? `${directory}/access.log combined buffer=128k flush=1s`
    : "off";
  const servers = upstreamPorts.map((port) => `server 127.0.0.1:${port};`);
  const certificate = `
    http2 on;
    ssl_certificate ${CERTIFICATES}/cert.pem;
    ssl_certificate_key ${CERTIFICATES}/key.pem;`;
  return `
  access_log ${log};
  client_max_body_size 0;
  keepalive_requests 1000000000;
  upstream behind {
    ${servers.join("\n    ")}
    keepalive 256;
    keepalive_requests 1000000000;
  }
  map $http_upgrade $connection_header { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:${port} ${tls ? "ssl" : ""} backlog=4096;${
    tls ? certificate : ""
  }
    location / {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;${PROXYING[upstreams]}
    }
  }`;
}
