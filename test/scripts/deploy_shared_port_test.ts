/** The compose file of two gateways on one port; no container is started. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import meta from "../../deno.json" with { type: "json" };
import { SETTINGS } from "../../src/config/config.ts";
import { sharedPortWarnings } from "../../src/config/shared_port.ts";
import {
  composedConfig,
  composeGateway,
  readDeployFile,
  readDockerfile,
} from "./deploy_files.ts";

const gateway = composeGateway.extend({ network_mode: z.literal("host") });

const composeFile = z.object({
  services: z.strictObject({
    "gateway-1": gateway,
    "gateway-2": gateway,
    redis: z.strictObject({
      image: z.string(),
      command: z.array(z.string()),
      ports: z.array(z.string()),
      volumes: z.array(z.string()),
      restart: z.literal("always"),
    }),
  }),
  volumes: z.record(z.string(), z.null()),
});

const { services, volumes } = composeFile.parse(
  parse(await readDeployFile("compose.shared-port.yaml"), { merge: true }),
);
const gateways = [services["gateway-1"], services["gateway-2"]];

const configs = gateways.map(composedConfig);

Deno.test("the gateways on one port are this version, and differ by the port of their metrics only", () => {
  const [one, other] = gateways.map(({ environment, healthcheck, ...rest }) => {
    const { METRICS_PORT: _, ...shared } = environment;
    for (const name of Object.keys(environment)) assert(name in SETTINGS, name);
    return { ...rest, shared, retries: healthcheck.retries };
  });
  assert.deepEqual(one, other);
  assert.equal(one?.image, `porthole:${meta.version}`);
  const ports = configs.map(({ metrics }) => metrics?.port);
  assert.equal(new Set(ports).size, 2);
  assert(!ports.includes(undefined));
});

Deno.test("the gateways on one port share it, and a database", () => {
  for (const [index, config] of configs.entries()) {
    assert.equal(config.listen.reusePort, true);
    assert.deepEqual(sharedPortWarnings(config), []);
    const { hostname, port } = new URL(
      gateways[index]?.environment.CACHE_URL ?? "",
    );
    assert.deepEqual(services.redis.ports, [`${hostname}:${port}:6379`]);
    assert.deepEqual(gateways[index]?.depends_on, ["redis"]);
    const graceMs = 1000 *
      Number.parseInt(gateways[index]?.stop_grace_period ?? "");
    assert(graceMs > config.limits.shutdownTimeoutMs);
  }
  for (const volume of services.redis.volumes) {
    const [name = ""] = volume.split(":");
    assert(name in volumes, volume);
  }
});

Deno.test("each gateway's health is asked at its own port, by the health check of the image", async () => {
  const { healthcheck } = await readDockerfile();
  for (const { healthcheck: { test }, environment } of gateways) {
    assert.deepEqual(test, [
      ...["CMD", "env"],
      `PROXY_PORT=${environment.METRICS_PORT}`,
      "ENABLE_TLS=false",
      ...healthcheck,
      "/metrics",
    ]);
    assert.equal(environment.METRICS_HOST, "127.0.0.1");
  }
});

Deno.test("the Caddyfile leads to the port that the gateways share", async () => {
  const caddyfile = await readDeployFile("Caddyfile");
  for (const { listen } of configs) {
    const { hostname, port, trustedProxies } = listen;
    assert(caddyfile.includes(`reverse_proxy ${hostname}:${port} {`));
    assert.deepEqual(trustedProxies, [`${hostname}/32`]);
  }
});
