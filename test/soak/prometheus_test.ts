import assert from "node:assert/strict";
import { scrapesOf } from "./prometheus.ts";

Deno.test("scrapesOf() counts scrapes and failures, and tells the slowest and for how long each alert fired", () => {
  const instance = { instance: "127.0.0.1:9464" };
  const scrapes = scrapesOf({
    up: [{ metric: instance, values: [[5, "1"], [10, "0"], [15, "1"]] }],
    durations: [{
      metric: instance,
      values: [[5, "0.012"], [10, "5.001"], [15, "0.013"]],
    }],
    alerts: [
      {
        metric: { alertname: "PortholeNearLimit", limit: "MAX_TUNNELS" },
        values: [[10, "1"]],
      },
      {
        metric: { alertname: "PortholeNearLimit", limit: "OTHER" },
        values: [[10, "1"], [15, "1"]],
      },
    ],
  });
  assert.deepEqual(scrapes, {
    count: 3,
    failed: 1,
    slowestMs: 5001,
    fired: new Map([["PortholeNearLimit", 10]]),
  });
  assert.deepEqual(scrapesOf({ up: [], durations: [], alerts: [] }), {
    count: 0,
    failed: 0,
    slowestMs: 0,
    fired: new Map(),
  });
});
