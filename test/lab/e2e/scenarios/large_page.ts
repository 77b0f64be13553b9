/** A page of many modules behind a front that speaks HTTP/2, in every container that there are settings for. */
import assert from "node:assert/strict";
import { BASE, startGateway } from "../../../support/gateway.ts";
import {
  type MemoryProfile,
  memoryProfiles,
} from "../../../support/memory_profiles.ts";
import { startNginx } from "../../bench/nginx.ts";
import type { Scenario } from "../scenario.ts";
import { startViteApp } from "../vite_app.ts";

/** More than a browser has under way at once. */
const MODULES = 300;

const NO_MORE = "it has no more requests under way at once than Chromium";

/** One for each size of the components for Kubernetes. */
export const largePages: readonly Scenario[] = (await memoryProfiles())
  .map(largePageIn);

function largePageIn({ mib, settings }: MemoryProfile): Scenario {
  return {
    name:
      `all ${MODULES} modules of Vite's page load over HTTP/2, with the settings for ${mib} MiB`,
    except: { firefox: NO_MORE, webkit: NO_MORE },
    async run({ open }) {
      await using app = await startViteApp(PROJECT);
      await using gateway = await startGateway({
        ...settings,
        PROXY_PROTOCOL: "https",
        TRUSTED_PROXIES: "127.0.0.1",
      });
      const { ports } = gateway.stack.runner.containers.get("demo") ??
        assert.fail();
      ports.set(app.port, app.port);
      await using front = await startNginx({
        upstreamPorts: [gateway.port],
        upstreams: "gateways",
        tls: true,
        cpus: undefined,
      });
      const page = await open();
      await page.goto(`https://${app.port}-demo.${BASE}:${front.port}/`);
      await page.shows("h1", `${MODULES} modules`);
      const protocols = await page.evaluate<readonly string[]>(
        `[...new Set(performance.getEntriesByType("resource")
          .filter(({ name }) => name.includes("/module-"))
          .map(({ nextHopProtocol }) => nextHopProtocol))]`,
      );
      assert.deepEqual(protocols, ["h2"]);
    },
  };
}

/** A page that shows how many of its modules have loaded, once all have. */
const PROJECT = {
  "index.html": `<!doctype html>
<link rel="icon" href="data:,">
<title>Many modules</title>
<h1></h1>
<script type="module" src="/main.js"></script>
`,
  "main.js": `
    const modules = await Promise.all(
      Array.from({ length: ${MODULES} }, (_, nth) => import(\`./module-\${nth}.js\`)),
    );
    const all = new Set(modules.map(({ nth }) => nth));
    document.querySelector("h1").textContent = \`\${all.size} modules\`;
  `,
  ...Object.fromEntries(
    Array.from(
      { length: MODULES },
      (_, nth) => [`module-${nth}.js`, `export const nth = ${nth};\n`],
    ),
  ),
};
