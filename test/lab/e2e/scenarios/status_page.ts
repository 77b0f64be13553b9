/** The operator's status page, on the metrics port. */
import assert from "node:assert/strict";
import { loggerFor } from "../../../../src/observability/log.ts";
import { listenForMetrics } from "../../../../src/server/metrics_server.ts";
import { collectLog } from "../../../support/collected_log.ts";
import {
  DEMO,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import type { Page } from "../browser/page.ts";
import type { OpenOptions, Scenario } from "../scenario.ts";
import { checkAccessibility } from "./accessibility.ts";

const SCREENS: Readonly<Record<string, OpenOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { window: { width: 390, height: 844 } },
};

/** The page says live what happens, also on a phone, and that the gateway does not answer any more. */
export const statusPage: Scenario = {
  name: "the status page shows live what the gateway does, and what goes wrong",
  except: {
    firefox: "axe judges by the document, as in Chromium",
    webkit: "axe judges by the document, as in Chromium",
  },
  async run(stage) {
    await using _log = await collectLog();
    await using running = new AsyncDisposableStack();
    const gateway = running.use(
      await startGateway({
        METRICS_PORT: "9090", // not listened on
        STATUS_PAGE: "true",
      }),
    );
    loggerFor("server").warn("not ready: api", { reason: "<b>not markup</b>" });
    const listener = serveStatus(gateway);
    const url = `http://127.0.0.1:${listener.port}/`;
    try {
      await gateway.send(DEMO);
      for (const [screen, options] of Object.entries(SCREENS)) {
        const page = await stage.open(options);
        await page.goto(url);
        await page.shows("#live", "live");
        await page.shows("#sandboxes .name", "demo");
        await untilDrawn(page);
        await checkAccessibility(page, `the status page (${screen})`);
        assert.deepEqual(await cutOff(page), [], screen);
        await stage.screenshot(page, `status-${screen}`);
        await page.close();
      }
      const page = await stage.open({ expectedErrors: /events|ERR_/ });
      await page.goto(url);
      await page.shows("#live", "live");
      gateway.stack.runner.containers.get("demo")?.ports.set(4000, 1);
      await gateway.send("4000-demo.proxy.localhost");
      await gateway.send("3000-stopped.proxy.localhost");
      // What happens while somebody looks, without a reload.
      await page.shows("#users-errors td", "port_closed");
      assert.match(await page.title(), /^127\.0\.0\.1:\d+: Porthole status$/);
      await page.evaluate(
        `document.querySelector("#charts svg").dispatchEvent(
          new PointerEvent("pointermove", { clientX: 200 }))`,
      );
      await page.shows("#charts .top span", "/s, ");
      await checkGaps(page);
      await page.shows("#sandboxes .name", "stopped");
      await page.click("#by-bytesPerSec button");
      await page.shows("#by-bytesPerSec[aria-sort=descending]");
      assert.match(await page.text("#sandboxes tr"), /^demo/);
      await page.shows("#troubles", "<b>not markup</b>");
      await listener.close(0);
      await running.disposeAsync(); // ends the page's events
      await page.shows("#live", "no answer");
    } finally {
      await listener.close(0);
    }
  },
};

function serveStatus({ service }: TestGateway) {
  const address = { hostname: "127.0.0.1", port: 0, statusPage: true };
  const listener = listenForMetrics(address, {
    render: () => service.renderMetrics(),
    pages: service.metricsPages,
    log: loggerFor("server"),
  });
  return listener ?? assert.fail();
}

/** The headings of the tables that are wider than their place, where a column is out of sight. */
function cutOff(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(
    `[...document.querySelectorAll(".scroll")]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map(({ innerText, scrollWidth, clientWidth }) =>
        [innerText.split("\\n")[0], scrollWidth, clientWidth].join(" "))`,
  );
}

/** Waits until the charts have a line, each of which takes two looks at the metrics. */
async function untilDrawn(page: Page): Promise<void> {
  await page.until(
    `document.querySelectorAll("#charts .card").length > 8 &&
    [...document.querySelectorAll("#charts path")]
      .some((line) => line.getAttribute("d")?.includes("L"))`,
  );
}

/** A line breaks where a point has no value, and where nothing was told for a while. */
async function checkGaps(page: Page): Promise<void> {
  const path = await page.evaluate<string>(`(() => {
    const told = points;
    points = [0, 1, 2, 3, 10, 11].map((second) => ({
      at: second * 1000, value: second === 1 ? null : second,
    }));
    const drawn = pathOf("value", (value) => value);
    points = told;
    return drawn.replaceAll(/[^ML]/g, "");
  })()`);
  assert.equal(path, "MMLML");
}
