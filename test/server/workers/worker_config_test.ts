import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/config.ts";
import { workerConfig } from "../../../src/server/workers/worker_config.ts";

function configOf(env: Record<string, string>) {
  const result = parseConfig({
    DAYTONA_API_URL: "http://127.0.0.1/api",
    PROXY_API_KEY: "key",
    REDIS_HOST: "127.0.0.1",
    ...env,
  });
  return result.ok ? result.config : assert.fail();
}

Deno.test("workerConfig() divides what the process as a whole may hold, rounding up", () => {
  const { limits } = workerConfig(
    configOf({
      MAX_CONCURRENT_EXCHANGES: "100",
      MAX_EXCHANGES_PER_SANDBOX: "10",
      MAX_TUNNELS: "1",
      REFUSALS_PER_MINUTE: "300",
    }),
    { workers: 3, port: 4000 },
  );
  assert.equal(limits.concurrentExchanges, 34);
  assert.equal(limits.exchangesPerSandbox, 4);
  assert.equal(limits.tunnels, 1);
  assert.equal(limits.refusalsPerMinute, 100);
});

Deno.test("workerConfig() gives the port that was found, and leaves the metrics to the supervisor", () => {
  const config = configOf({
    PROXY_PORT: "0",
    METRICS_PORT: "9090",
    WORKERS: "3",
  });
  const given = workerConfig(config, { workers: 3, port: 4000 });
  const { limits: _, ...expected } = config;
  const { limits: __, ...rest } = given;
  assert.deepEqual(rest, {
    ...expected,
    listen: { ...config.listen, port: 4000 },
    metrics: undefined,
    workers: 1,
  });
});
