/** The compose file of two gateways; no container is started. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import meta from "../../deno.json" with { type: "json" };
import { SETTINGS } from "../../src/config/config.ts";
import {
  composedConfig,
  composeGateway,
  readDeployFile,
  readDockerfile,
} from "./deploy_files.ts";

const composeFile = z.strictObject({
  name: z.string(),
  "x-gateway": composeGateway,
  services: z.strictObject({
    "gateway-1": composeGateway,
    "gateway-2": composeGateway,
    redis: z.strictObject({
      image: z.string(),
      command: z.array(z.string()),
      volumes: z.array(z.string()),
      restart: z.literal("always"),
    }),
    caddy: z.strictObject({
      image: z.string(),
      ports: z.array(z.string()),
      volumes: z.array(z.string()),
      restart: z.literal("always"),
    }),
  }),
  volumes: z.record(z.string(), z.null()),
  networks: z.strictObject({
    default: z.strictObject({
      ipam: z.strictObject({
        config: z.tuple([z.strictObject({ subnet: z.string() })]),
      }),
    }),
  }),
});

const { services, networks, volumes } = composeFile.parse(
  parse(await readDeployFile("compose.rolling.yaml")),
);
const caddyfile = await readDeployFile("Caddyfile.rolling");

Deno.test("the two gateways are this version, alike, and configured without a mistake", () => {
  const [one, other] = [services["gateway-1"], services["gateway-2"]];
  assert.deepEqual(one, other);
  assert.equal(one.image, `porthole:${meta.version}`);
  for (const name of Object.keys(one.environment)) {
    assert(name in SETTINGS, name);
  }
  const { limits, listen, cache } = composedConfig(one);
  const graceMs = 1000 * Number.parseInt(one.stop_grace_period);
  assert(graceMs > limits.shutdownTimeoutMs);
  const [{ subnet }] = networks.default.ipam.config;
  assert.deepEqual(listen.trustedProxies, [subnet]);
  assert.equal(cache.location.kind, "redis");
  assert.match(one.environment.CACHE_URL ?? "", /^redis:\/\/redis:/);
  assert.deepEqual(one.depends_on, ["redis"]);
});

Deno.test("a gateway counts as healthy once it is ready, by the health check of the image", async () => {
  const { healthcheck } = await readDockerfile();
  const { test } = services["gateway-1"].healthcheck;
  assert.deepEqual(test, ["CMD", ...healthcheck, "/ready"]);
});

Deno.test("only Caddy is to be reached from outside, and leads to both gateways", () => {
  const names = Object.keys(services).filter((name) => /^gateway/.test(name));
  const { default: port } = SETTINGS.PROXY_PORT;
  const upstreams = names.map((name) => `${name}:${port}`).join(" ");
  assert(caddyfile.includes(`\treverse_proxy ${upstreams} {\n`));
  assert.deepEqual(services.caddy.ports, ["80:80", "443:443"]);
  const mounts = services.caddy.volumes.map((each) => each.split(":"));
  assert.deepEqual(mounts[0]?.slice(0, 2), [
    "./Caddyfile.rolling",
    "/etc/caddy/Caddyfile",
  ]);
  const [, folder] = mounts[1] ?? [];
  assert(caddyfile.includes(`tls ${folder}/cert.pem ${folder}/key.pem`));
  for (const volume of services.redis.volumes) {
    const [name = ""] = volume.split(":");
    assert(name in volumes, volume);
  }
});

Deno.test("a gateway that is about to stop is no longer asked before it stops", () => {
  const [, seconds] = /^\t\thealth_interval (\d+)s$/m.exec(caddyfile) ?? [];
  const { SHUTDOWN_DELAY_SEC } = services["gateway-1"].environment;
  assert(Number(SHUTDOWN_DELAY_SEC) > 2 * Number(seconds));
  assert.match(caddyfile, /^\t\thealth_uri \/ready$/m);
});

Deno.test("before Caddy gets a certificate for a custom domain, it asks whichever gateway is up, where only it can", () => {
  const [, own = ""] = /^\t\task http:\/\/(\S+)\/tls\/ask$/m.exec(caddyfile) ??
    [];
  const names = Object.keys(services).filter((name) => /^gateway/.test(name));
  const { metrics } = composedConfig(services["gateway-1"]);
  const upstreams = names.map((name) => `${name}:${metrics?.port}`).join(" ");
  assert(caddyfile.includes(
    `\nhttp://${own} {\n\tbind 127.0.0.1\n\treverse_proxy ${upstreams} {\n`,
  ));
  assert.equal(own.split(":")[0], "127.0.0.1");
  assert.equal(metrics?.hostname, "0.0.0.0");
  // A certificate that is lost with its container is asked for again, which authorities limit.
  const mount = services.caddy.volumes.find((each) => each.endsWith(":/data"));
  assert((mount?.split(":")[0] ?? "") in volumes);
});

Deno.test("the two Caddyfiles differ by where they lead only", async () => {
  const essence = (text: string) =>
    text.replace(/^#.*\n/gm, "")
      .replace(/^http:\/\/127\.0\.0\.1:\d+ \{\n[^]*?^\}\n\n/m, "")
      .replace(/\t# Before Caddy gets[^]*?\t\task .*\n/, "")
      .replace(/reverse_proxy .* \{\n/, "reverse_proxy {\n")
      .replace(/\t\t# A gateway that is about[^]*lb_try_duration 5s\n/, "");
  assert.equal(essence(caddyfile), essence(await readDeployFile("Caddyfile")));
});
