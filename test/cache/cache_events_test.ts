import assert from "node:assert/strict";
import { reportCacheEvents } from "../../src/cache/cache_events.ts";
import { startLogging } from "../../src/observability/log.ts";
import { createMetrics } from "../../src/observability/metrics/metrics.ts";

Deno.test("what a codec throws is counted each time, and logged with its cause once a minute for each cache", async () => {
  const lines: string[] = [];
  const stopLogging = await startLogging({ level: "info", format: "json" }, {
    dropped: 0,
    write: (line) => lines.push(line),
    flush: () => Promise.resolve(),
  });
  const metrics = createMetrics({ version: "0.0.0" });
  const onEvent = reportCacheEvents(metrics.cacheEvent);
  const cause = new TypeError("broken", { cause: new Error("at the root") });
  onEvent("codec_failed", "sandbox-access", cause);
  onEvent("codec_failed", "sandbox-access", cause);
  onEvent("codec_failed", "signed-token", cause);
  // A value that another version wrote, or one whose secret is gone, is nobody's bug.
  onEvent("codec_failed", "sandbox-public");
  await stopLogging();

  const logged = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    logged.map(({ level, logger, message, kind, cause }) => [
      ...[level, logger, message, kind, cause],
    ]),
    ["sandbox-access", "signed-token"].map((kind) => [
      ...["WARN", "porthole.cache", "cache codec failed", kind],
      "broken: at the root",
    ]),
  );
  for (
    const [kind, count] of [
      ["sandbox-access", 2],
      ["signed-token", 1],
      ["sandbox-public", 1],
    ]
  ) {
    const series =
      `porthole_cache_failures_total{kind="${kind}",failure="codec_failed"} ${count}\n`;
    assert(metrics.render().includes(series), series);
  }
});
