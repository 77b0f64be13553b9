/** A front between attackers and the gateway, as docs/run/tls.md and scripts/deploy/Caddyfile have it, without its TLS. */
import { freePort } from "../../support/free_port.ts";
import { nginxCommand } from "../../support/nginx.ts";
import { startServerProcess } from "../../support/server_process.ts";

/** The fronts that there are. */
export const FRONTS = ["nginx", "caddy"] as const;

/** One of them. */
export type FrontName = (typeof FRONTS)[number];

/** A running front; disposing of it kills it. */
interface Front extends AsyncDisposable {
  readonly port: number;
}

const START_TIMEOUT_MS = 30_000;

/** Starts one in front of a gateway; attackers' own X-Forwarded-For counts, so that each can have an address. */
export async function startFront(
  name: FrontName,
  gatewayPort: number,
): Promise<Front> {
  const folder = await Deno.makeTempDir();
  const port = freePort();
  const command = name === "nginx"
    ? await nginxCommand(folder, nginxConfiguration(port, gatewayPort))
    : await caddyCommand(folder, port, gatewayPort);
  const server = await startServerProcess({
    command,
    env: { HOME: folder, XDG_DATA_HOME: folder },
    port,
    timeoutMs: START_TIMEOUT_MS,
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function nginxConfiguration(port: number, gatewayPort: number): string {
  return `access_log off;
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  upstream porthole {
    server 127.0.0.1:${gatewayPort};
    keepalive 64;
  }
  client_max_body_size 0;
  large_client_header_buffers 12 64k;
  client_header_timeout 10s;
  client_body_timeout 60s;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://porthole;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_buffer_size 64k;
      proxy_buffers 4 64k;
      proxy_read_timeout 310s;
    }
  }`;
}

async function caddyCommand(
  folder: string,
  port: number,
  gatewayPort: number,
): Promise<string[]> {
  const file = `${folder}/Caddyfile`;
  await Deno.writeTextFile(
    file,
    `{
	admin off
	auto_https off
	log {
		level ERROR
	}
	servers {
		timeouts {
			read_header 10s
			idle 75s
		}
	}
}
http://:${port} {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:${gatewayPort} {
		trusted_proxies 127.0.0.1/32
		flush_interval 1ms
		transport http {
			compression off
			keepalive 4s
			keepalive_idle_conns_per_host 256
		}
	}
}
`,
  );
  return ["caddy", "run", "--config", file];
}
