/**
 * nginx as a plain reverse proxy, configured for HTTP/1.1 and persistent connections as its documentation recommends.
 */
import { freePort } from "../support/free_port.ts";
import { startTarget, type Target } from "./target.ts";

/** How nginx is started. */
export interface NginxOptions {
  /** The upstream's port on 127.0.0.1. */
  readonly upstreamPort: number;
  /** Whether it writes an access log, with a buffer as large as the gateway's. */
  readonly logs: boolean;
  readonly cpus: string | undefined;
}

/** The configuration: a single process, which uses one processor at most. */
function configuration(
  { upstreamPort, logs }: NginxOptions,
  { port, directory }: { port: number; directory: string },
): string {
  const log = logs
    ? `${directory}/access.log combined buffer=128k flush=1s`
    : "off";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path ${directory}/${kind};`).join("\n");
  return `daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr crit;
worker_rlimit_nofile 20000;
events { worker_connections 20000; }
http {
  access_log ${log};
${temporary}
  client_max_body_size 0;
  keepalive_requests 1000000000;
  upstream runner {
    server 127.0.0.1:${upstreamPort};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  map $http_upgrade $connection_field { default upgrade; "" ""; }
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
      proxy_set_header Connection $connection_field;
    }
  }
}
`;
}

/**
 * Starts nginx in a temporary directory, which is removed with it.
 *
 * @throws {Error} if it does not listen within 10 s.
 */
export async function startNginx(options: NginxOptions): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "porthole-bench-" });
  started.defer(() => Deno.remove(directory, { recursive: true }));
  const port = freePort();
  const file = `${directory}/nginx.conf`;
  await Deno.writeTextFile(file, configuration(options, { port, directory }));
  const target = started.use(
    await startTarget({
      command: ["nginx", "-e", "stderr", "-c", file],
      cpus: options.cpus,
      port,
    }),
  );
  const owned = started.move();
  return {
    pid: target.pid,
    port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
