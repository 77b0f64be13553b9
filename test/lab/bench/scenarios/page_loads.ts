/** A page of a dev server in Chromium: the time until it has loaded, and until it can be used. */
import { type Chromium, startChromium } from "../chromium.ts";
import { GATEWAY, HOSTS, lent, present } from "../contestants.ts";
import { IMAGES, MODULES } from "../dev_page.ts";
import type { Reading } from "../drive.ts";
import { nginxTo, TLS_GATEWAY } from "../fronts.ts";
import { usageOf } from "../machine.ts";
import {
  type Figure,
  interleave,
  type Outcome,
  ratioOf,
  type Row,
  type Scenario,
} from "../scenario.ts";
import { denoCommand, type Server, startServer } from "../server.ts";
import {
  addRunner,
  addSandboxes,
  type Contestant,
  type World,
} from "../world.ts";
import { driveGets } from "./rates.ts";

const ROUNDS = 7;
const WARM_UP_LOADS = 2;
/** The gateway's code is compiled by more requests than a few loads have. */
const WARM_UP_SEC = 4;

const LOADED = "load ms";

/** The outcome where there is no browser. */
const NOT_MEASURED: Outcome = {
  quantity: LOADED,
  rows: [],
  figures: [],
  notes: ["Not measured: Chromium is not installed."],
};
const INTERACTIVE = "ready ms";
/** The processor time of what is between browser and app, for one load. */
const PROXY_CPU = "CPU ms";

const SANDBOX = "pages";
const HOST = HOSTS.public.replace("demo", SANDBOX);
const RUNNER = "0c8d2f6e-3f57-4f0b-9a43-6f3f9d7b2a10";

/** Not the name of another contestant: it would be taken for that one in a run of all scenarios. */
const DIRECT = "direct, to the app";

/** The page itself, its modules and its images. */
const FILES = 1 + MODULES + IMAGES;

/** How the page is fetched. */
interface Way {
  readonly scheme: "http" | "https";
  readonly protocol: "http/1.1" | "h2";
}

/**
 * Loads the page once.
 *
 * @throws {Error} if something of it is missing, or came by another protocol.
 */
async function load(
  chromium: Chromium,
  { pid, port }: Pick<Server, "pid" | "port">,
  { scheme, protocol }: Way,
): Promise<Reading> {
  const before = (await usageOf(pid))?.cpuMs;
  const { loadedMs, interactiveMs, files, protocols } = await chromium.load(
    `${scheme}://${HOST}:${port}/`,
  );
  if (files !== FILES || protocols.join() !== protocol) {
    throw new Error(`${files} files of ${FILES} came, by ${protocols}`);
  }
  const after = (await usageOf(pid))?.cpuMs;
  return {
    [LOADED]: loadedMs,
    [INTERACTIVE]: interactiveMs,
    [PROXY_CPU]: before === undefined || after === undefined
      ? undefined
      : after - before,
  };
}

async function warmUp(
  chromium: Chromium,
  server: Server,
  way: Way,
): Promise<void> {
  await driveGets(server, WARM_UP_SEC, {
    headers: { Host: HOST },
    path: "/module-0.js",
    scheme: way.scheme,
    connections: 6, // as many as a browser opens
  });
  for (let count = 0; count < WARM_UP_LOADS; count++) {
    await load(chromium, server, way);
  }
}

/** The gateway's times to those of the way that is nearest to the app. */
function figures(
  rows: readonly Row[],
  of: string,
  [to, name]: readonly [to: string, name: string],
): Figure[] {
  return [
    ...ratioOf(`load : ${name}`, rows, { of, to, quantity: LOADED }),
    ...ratioOf(`interactive : ${name}`, rows, {
      of,
      to,
      quantity: INTERACTIVE,
    }),
  ];
}

/** The app, to which the API leads. */
async function startPages({ stack }: World): Promise<Server> {
  const file = "test/lab/bench/servers/page_app.ts";
  const app = await startServer({
    command: denoCommand("-P=bench", file),
  });
  addRunner(stack, RUNNER, app.port);
  addSandboxes(stack, [SANDBOX], RUNNER);
  return app;
}

function pageLoads(
  name: string,
  about: string,
  way: Way & { readonly gateway: Contestant },
): Scenario {
  return {
    name,
    about,
    async measure(world) {
      await using started = new AsyncDisposableStack();
      const chromium = await startChromium();
      if (chromium === undefined) return NOT_MEASURED;
      started.use(chromium);
      const app = started.use(await startPages(world));
      const isTls = way.scheme === "https";
      const front = nginxTo("nginx, to the app", app.port, isTls);
      const contestants = present(world, [
        way.gateway,
        // What terminates TLS in front of the app is as near to it as HTTP/2 gets.
        ...isTls ? [] : [direct(app)],
        front,
      ]);
      try {
        const ready: { name: string; server: Server }[] = [];
        for (const contestant of contestants) {
          const server = await world.warm(
            contestant,
            (server) => warmUp(chromium, server, way),
          );
          ready.push({ name: contestant.name, server });
        }
        const rows = await interleave(
          ready,
          ROUNDS,
          ({ server }) => load(chromium, server, way),
        );
        return {
          quantity: LOADED,
          rows,
          figures: figures(
            rows,
            way.gateway.name,
            isTls ? [front.name, "nginx"] : [DIRECT, "direct"],
          ),
          notes: [
            "The browser and the app share a processor; what is between them has the other one.",
          ],
        };
      } finally {
        await world.end([front, direct(app)]);
      }
    },
  };
}

function direct(app: Server): Contestant {
  return {
    name: DIRECT,
    warmUpSec: 0,
    start: () => Promise.resolve(lent({ pid: undefined, port: app.port })),
  };
}

const PAGE =
  `${MODULES} modules, ${IMAGES} images and 3 WebSockets in Chromium`;

/** Scenarios of page loads. */
export const PAGE_LOADS: readonly Scenario[] = [
  pageLoads("page-http1", `${PAGE}, over HTTP/1.1`, {
    scheme: "http",
    protocol: "http/1.1",
    gateway: GATEWAY,
  }),
  pageLoads("page-http2", `${PAGE}, over HTTP/2 with TLS`, {
    scheme: "https",
    protocol: "h2",
    gateway: TLS_GATEWAY,
  }),
];
