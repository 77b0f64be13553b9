/** Contestants that speak TLS, with a certificate for tests. */
import { COMPILED_SEC, gateway } from "./contestants.ts";
import { CERTIFICATES, startNginx } from "./nginx.ts";
import type { Contestant } from "./world.ts";

/** The gateway with TLS of its own. */
export const TLS_GATEWAY = gateway({
  name: "gateway, TLS",
  environment: {
    PROXY_PROTOCOL: "https",
    ENABLE_TLS: "true",
    TLS_CERT_FILE: `${CERTIFICATES}/cert.pem`,
    TLS_KEY_FILE: `${CERTIFICATES}/key.pem`,
  },
  flags: [`--allow-read=./data,${CERTIFICATES}`],
});

/** nginx in front of a port of 127.0.0.1. */
export function nginxTo(name: string, port: number, tls: boolean): Contestant {
  return {
    name,
    needs: "nginx",
    warmUpSec: COMPILED_SEC,
    start: ({ proxyCpu }) =>
      startNginx({ upstreamPorts: [port], tls, cpus: proxyCpu }),
  };
}
