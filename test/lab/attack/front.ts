/** A front between attackers and the gateway, as docs/run/tls.md and scripts/deploy/Caddyfile have it, without its TLS. */
import { nginxCommand } from "../../support/nginx.ts";
import { caddyCommand, type Front, startFront } from "../harness/front.ts";

/** The fronts that there are. */
export const FRONTS = ["nginx", "caddy"] as const;

/** One of them. */
export type FrontName = (typeof FRONTS)[number];

/** Starts one in front of a gateway; attackers' own X-Forwarded-For counts, so that each can have an address. */
export function startFrontOf(
  name: FrontName,
  gatewayPort: number,
): Promise<Front> {
  return startFront((folder, port) =>
    name === "nginx"
      ? nginxCommand(folder, nginxConfiguration(port, gatewayPort))
      : caddyCommand(folder, ...caddyConfiguration(port, gatewayPort))
  );
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

function caddyConfiguration(
  port: number,
  gatewayPort: number,
): [sites: string, options: string] {
  return [
    `http://:${port} {
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
    `	servers {
		timeouts {
			read_header 10s
			idle 75s
		}
	}
`,
  ];
}
