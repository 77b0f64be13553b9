/** Contestants that speak TLS, with a certificate for tests: the gateway itself, and what stands in front of it. */
import { startCaddy } from "./caddy.ts";
import { COMPILED_SEC, gateway, startScript } from "./contestants.ts";
import type { TlsLoad } from "./h2load.ts";
import { CERTIFICATES, startNginx } from "./nginx.ts";
import type { Server } from "./server.ts";
import type { Contestant, World } from "./world.ts";

/** What gives a gateway TLS of its own. */
export const TLS_VARIANT = {
  name: "gateway, TLS",
  environment: {
    PROXY_PROTOCOL: "https",
    ENABLE_TLS: "true",
    TLS_CERT_FILE: `${CERTIFICATES}/cert.pem`,
    TLS_KEY_FILE: `${CERTIFICATES}/key.pem`,
  },
  flags: [`--allow-read=./data,${CERTIFICATES}`],
};

/** The gateway with TLS of its own. */
export const TLS_GATEWAY = gateway(TLS_VARIANT);

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

/** nginx terminating TLS in front of the stub runner. */
export const NGINX_TLS: Contestant = {
  name: "nginx, TLS",
  needs: "nginx",
  warmUpSec: COMPILED_SEC,
  start: ({ runner, proxyCpu }) =>
    startNginx({ upstreamPorts: [runner.port], tls: true, cpus: proxyCpu }),
};

/** Caddy terminating TLS in front of the stub runner. */
export const CADDY_TLS: Contestant = {
  name: "Caddy, TLS",
  needs: "caddy",
  warmUpSec: COMPILED_SEC,
  start: ({ runner, proxyCpu }) =>
    startCaddy({ upstreamPorts: [runner.port], cpus: proxyCpu }),
};

/** A gateway behind a front on this machine. */
const BEHIND = gateway({
  environment: { PROXY_PROTOCOL: "https", TRUSTED_PROXIES: "127.0.0.1" },
});

/** Gateways, and what passes them the requests, all on the processor for proxies. */
function inFrontOf(
  gateways: readonly Contestant[],
  front: Pick<Contestant, "name" | "needs"> & {
    readonly start: (
      world: World,
      upstreamPorts: readonly number[],
    ) => Promise<Server>;
  },
): Contestant {
  return {
    ...front,
    warmUpSec: Math.max(...gateways.map(({ warmUpSec }) => warmUpSec)),
    async start(world) {
      await using started = new AsyncDisposableStack();
      const servers: Server[] = [];
      for (const gateway of gateways) {
        servers.push(started.use(await gateway.start(world)));
      }
      const ports = servers.map(({ port }) => port);
      const { pid, port } = started.use(await front.start(world, ports));
      const owned = started.move();
      return {
        pid,
        helpers: servers.flatMap(({ pid }) => pid ?? []),
        port,
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      };
    },
  };
}

/** nginx terminating TLS in front of a gateway, as docs/run/tls.md has it. */
export const NGINX_AND_GATEWAY = inFrontOf([BEHIND], {
  name: "nginx, TLS + gateway",
  needs: "nginx",
  start: ({ proxyCpu }, upstreamPorts) =>
    startNginx({
      upstreamPorts,
      upstreams: "gateways",
      tls: true,
      cpus: proxyCpu,
    }),
});

/** Caddy terminating TLS in front of a gateway, as scripts/deploy/Caddyfile has it. */
export const CADDY_AND_GATEWAY = inFrontOf([BEHIND], {
  name: "Caddy, TLS + gateway",
  needs: "caddy",
  start: ({ proxyCpu }, upstreamPorts) =>
    startCaddy({ upstreamPorts, cpus: proxyCpu }),
});

/** The bare TLS relay in front of a gateway, which speaks either protocol without TLS with it. */
export const RELAY_AND_GATEWAY = {
  "http/1.1": relayAndGateway("http/1.1"),
  h2: relayAndGateway("h2"),
} as const;

function relayAndGateway(protocol: TlsLoad["protocol"]): Contestant {
  return inFrontOf([BEHIND], {
    name: `bare TLS relay, ${protocol} + gateway`,
    start: (world, [port]) =>
      startScript(world, "tls_relay.ts", `http://127.0.0.1:${port}`, protocol),
  });
}
