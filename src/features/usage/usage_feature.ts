/** What sandboxes are used for, for whoever pays or bills for them (`USAGE`). */
import { oneOf } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { timeOf } from "../../control/api/fields.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { HOUR_MS, UsageCounter, type UsageRow } from "./usage_counter.ts";
import { addUsageRoute, USAGE_ROUTE } from "./usage_route.ts";
import { UsageStore } from "./usage_store.ts";

/** Time between two times of storing, ms, and longest time that the last one may take. */
const STORE_EVERY_MS = 60_000;
const LAST_STORE_MS = 5_000;

/** For so many hours, this one included, rows are kept for who collects them. */
const COLLECTED_HOURS = 3;

export const usageSettings = settingsSection({
  rows: inGroup("Observability", {
    USAGE: setting(
      "Whether each sandbox's requests, bytes and WebSocket seconds are counted by the hour: `/api/v1/usage`, and `/usage` of METRICS_PORT.",
      { format: oneOf("off", "on"), default: "off" },
    ),
  }),
  assemble: ({ USAGE: mode }) => ({ isOn: mode === "on" }),
});

export const usage: FeatureModule = {
  name: "usage",
  settings: usageSettings,
  routes: [USAGE_ROUTE],
  needsRecords: (config) => sectionOf(config, usageSettings).isOn,
  create(parts) {
    const { config, recordValues, background, now } = parts;
    const { isOn } = sectionOf(config, usageSettings);
    if (!isOn || !recordValues.isOn) return undefined;
    const counter = new UsageCounter(COLLECTED_HOURS * config.cache.maxEntries);
    const source = crypto.randomUUID();
    const store = new UsageStore(recordValues, source);
    let storing: Promise<void> | undefined;
    function storeNew(): Promise<void> {
      storing ??= store.store(counter.rows()).catch((error) => {
        if (!(error instanceof GatewayError)) throw error; // it is stored next time
      }).finally(() => {
        counter.forgetBefore(now() - COLLECTED_HOURS * HOUR_MS);
        storing = undefined;
      });
      background.add("store usage", storing);
      return storing;
    }
    const timer = setInterval(storeNew, STORE_EVERY_MS);
    Deno.unrefTimer(timer);
    return {
      watch: { record: (record) => counter.record(record) },
      control: {
        metricsPages: { "/usage": () => collected(counter.rows(), source) },
        routes: (app) => addUsageRoute(app, store, parts),
      },
      life: {
        async close() {
          clearInterval(timer);
          // Whatever fails now, but for a lack of time, has failed before.
          await fulfilsWithin(storeNew(), LAST_STORE_MS).catch(() => {});
        },
      },
    };
  },
};

/** Rows as NDJSON: of two with one `source`, `sandboxId` and `hour`, the one with more requests is the later. */
function collected(rows: Iterable<UsageRow>, source: string): Response {
  function* lines() {
    for (const { isNew: _, hour, ...row } of rows) {
      yield `${JSON.stringify({ source, hour: timeOf(hour), ...row })}\n`;
    }
  }
  const headers = {
    "cache-control": "no-store",
    "content-type": "application/x-ndjson",
  };
  const body = ReadableStream.from(lines())
    .pipeThrough(new TextEncoderStream());
  return new Response(body, { headers });
}
