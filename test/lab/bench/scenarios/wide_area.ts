/** A dev server's page in Chromium at the end of a long and narrow way, compressed or not. */
import { startCaddy } from "../caddy.ts";
import { startChromium } from "../chromium.ts";
import { gateway, present } from "../contestants.ts";
import { MODULES } from "../dev_page.ts";
import { BEHIND, inFrontOf, TLS_GATEWAY, TLS_VARIANT } from "../fronts.ts";
import { startNginx } from "../nginx.ts";
import { interleave, ratioOf, type Scenario } from "../scenario.ts";
import { startWideArea, type WideArea } from "../wide_area.ts";
import type { Contestant } from "../world.ts";
import {
  load,
  LOADED,
  NOT_MEASURED,
  startPages,
  warmUp,
  type Way,
} from "./page_loads.ts";

const ROUNDS = 3;

const FAR: WideArea = { roundTripMs: 50, mbitPerSec: 10 };

const WAY: Way = { scheme: "https", protocol: "h2" };

const COMPRESSING = gateway({
  name: "gateway, compressing",
  environment: { ...TLS_VARIANT.environment, COMPRESS: "static" },
  flags: TLS_VARIANT.flags,
});

const FRONTS: readonly Contestant[] = [
  inFrontOf([BEHIND], {
    name: "nginx, compressing + gateway",
    needs: "nginx",
    start: ({ proxyCpu: cpus }, upstreamPorts) =>
      startNginx({
        upstreamPorts,
        upstreams: "gateways",
        tls: true,
        gzip: true,
        cpus,
      }),
  }),
  inFrontOf([BEHIND], {
    name: "Caddy, compressing + gateway",
    needs: "caddy",
    start: ({ proxyCpu: cpus }, upstreamPorts) =>
      startCaddy({ upstreamPorts, encode: true, cpus }),
  }),
];

export const WIDE_AREA: Scenario = {
  name: "page-wide",
  about:
    `${MODULES} modules, in Chromium over HTTP/2 with TLS, ${FAR.roundTripMs} ms and ${FAR.mbitPerSec} Mbit/s away`,
  async measure(world) {
    await using started = new AsyncDisposableStack();
    const chromium = await startChromium();
    if (chromium === undefined) return NOT_MEASURED;
    started.use(chromium);
    started.use(await startPages(world, "prose"));
    const contestants = present(world, [COMPRESSING, TLS_GATEWAY, ...FRONTS]);
    try {
      const ready: { name: string; pid: number | undefined; port: number }[] =
        [];
      for (const contestant of contestants) {
        const { pid, port } = await world.warm(
          contestant,
          (server) => warmUp(chromium, server, WAY),
        );
        const area = started.use(startWideArea(port, FAR));
        ready.push({ name: contestant.name, pid, port: area.port });
      }
      const rows = await interleave(
        ready,
        ROUNDS,
        (server) => load(chromium, server, WAY),
      );
      return {
        quantity: LOADED,
        rows,
        figures: ratioOf("load, compressed : not", rows, {
          of: COMPRESSING.name,
          to: TLS_GATEWAY.name,
          quantity: LOADED,
        }),
        notes: [
          "The modules are source text of this project; 20 images and the page are never compressed.",
        ],
      };
    } finally {
      await world.end([COMPRESSING, ...FRONTS]);
    }
  },
};
