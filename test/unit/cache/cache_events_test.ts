import assert from "node:assert/strict";
import { reportCacheEvents } from "../../../src/cache/cache_events.ts";
import { startLogging } from "../../../src/observability/log.ts";
import { Metrics } from "../../../src/observability/metrics/metrics.ts";

function setUp() {
  const lines: string[] = [];
  const metrics = new Metrics("0.0.0");
  const closing = new AbortController();
  return {
    closing,
    onEvent: reportCacheEvents(metrics, closing.signal),
    async startLogging() {
      return await startLogging({ level: "info", format: "json" }, {
        dropped: 0,
        write: (line) => lines.push(line),
        flush: () => Promise.resolve(),
      });
    },
    logged: () =>
      lines.map((line) => JSON.parse(line)).map((
        { level, logger, message, kind, reason },
      ) => [level, logger, message, kind, reason]),
    assertCount(failure: string, kind: string, count: number) {
      const sample =
        `porthole_cache_failures_total{kind="${kind}",failure="${failure}"} ${count}\n`;
      assert(metrics.render().includes(sample), sample);
    },
  };
}

for (
  const [event, message] of [
    ["codec_failed", "cache codec failed"],
    ["fill_failed", "answers served from cache: the API fails"],
  ] as const
) {
  Deno.test(`${event} with a cause is counted each time, and logged once a minute for each cache`, async () => {
    const { onEvent, startLogging, logged, assertCount } = setUp();
    const stopLogging = await startLogging();
    const cause = new TypeError("broken", { cause: new Error("at the root") });
    onEvent(event, "sandbox-public", cause);
    onEvent(event, "sandbox-public", cause);
    onEvent(event, "signed-token", cause);
    // Without a cause: a caller logs the failure, or the value is of another version or sealed with another secret.
    onEvent(event, "sandbox-runner-info");
    await stopLogging();

    assert.deepEqual(
      logged(),
      ["sandbox-public", "signed-token"].map((kind) => [
        ...["WARN", "porthole.cache", message, kind, "broken: at the root"],
      ]),
    );
    assertCount(event, "sandbox-public", 2);
    assertCount(event, "signed-token", 1);
    assertCount(event, "sandbox-runner-info", 1);
  });
}

Deno.test("a failed fill is not logged while the gateway closes, which aborts fills", async () => {
  const { closing, onEvent, startLogging, logged } = setUp();
  const stopLogging = await startLogging();
  closing.abort();
  onEvent("fill_failed", "sandbox-public", new Error("aborted"));
  await stopLogging();
  assert.deepEqual(logged(), []);
});
