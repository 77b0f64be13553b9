/** What a page of ours in a frame tells the page around it. */
import assert from "node:assert/strict";
import { problem } from "../../../../src/pages/problem.ts";
import type { Scenario } from "../scenario.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

/** Keeps what it is told. */
const AROUND = `<!doctype html><title>around</title><script>
var heard = [];
addEventListener("message", ({ data }) => heard.push(data));
</script>`;

function html(body: string): Response {
  return new Response(body, { headers: { "content-type": "text/html" } });
}

export const frameStates: Scenario = {
  name:
    "a page of ours in a frame tells a listed ancestor its state, and then that the app is ready, and no other page",
  async run(stage) {
    let hasStarted = false;
    await using around = serveOnLoopback(() => html(AROUND));
    const listed = `http://localhost:${around.port}`;
    const advice = { ancestors: ["https://other.example", listed] };
    await using preview = serveOnLoopback(() =>
      hasStarted ? html("<h1>Started</h1>") : problem({
        code: "port_closed",
        port: 3000,
        requestId: "id",
        asPage: true,
        isFramed: true,
        mayReload: true,
        retryAfterSec: 2,
        advice,
      })
    );
    const about = { source: "porthole", v: 1, type: "state", port: 3000 };
    for (
      const [origin, expected] of [
        [listed, [
          { ...about, state: "waiting", code: "port_closed", retryAfterSec: 2 },
          { ...about, state: "ready", code: null },
        ]],
        [`http://127.0.0.1:${around.port}`, []],
      ] as const
    ) {
      hasStarted = false;
      const page = await stage.open({ expectedErrors: /postMessage|502/ });
      await page.goto(`${origin}/`);
      const frame = await page.addFrame(`http://127.0.0.1:${preview.port}/`);
      await frame.shows("h1", "Nothing is listening");
      hasStarted = true;
      await frame.shows("h1", "Started");
      assert.deepEqual(await page.evaluate("heard"), expected, origin);
    }
  },
};
