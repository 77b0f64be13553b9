// deno-lint-ignore-file no-console
/** `--engine firefox,webkit`: hot reload in browsers that the table is not about, over HTTP and HTTPS. */
import type { Engine, EngineName } from "../browser/engine.ts";
import { PACKAGES, startEngine } from "../browser/launch.ts";
import type { IsKnown } from "../browser/names.ts";
import { Page } from "../browser/page.ts";
import { COUNTS } from "./checks.ts";
import type { DevServer } from "./dev_server.ts";
import { type Gateways, SCHEMES, startGateways } from "./gateways.ts";
import { startProject } from "./matrix.ts";
import { install } from "./packages.ts";
import { next } from "./servers/next.ts";
import { vite } from "./servers/vite.ts";

/** The dev servers, and the file of each that has the heading. */
const EDITED: readonly (readonly [server: DevServer, file: string])[] = [
  [vite, "src/words.js"],
  [next, "app/page.jsx"],
];

/** Something that has to work in every engine. */
export interface EngineRow {
  readonly title: string;
  /** @throws {Error} if it does not. */
  run(engine: Engine): Promise<void>;
}

/** Runs hot reload in the engines that are installed, and returns the exit code. */
export async function runInEngines(
  engines: readonly EngineName[],
): Promise<number> {
  await using gateways = await startGateways();
  const rows = EDITED.map(([server, file]): EngineRow => ({
    title: `an edit arrives by ${server.title}`,
    run: (engine) => reloadsHot(server, file, { engine, gateways }),
  }));
  return await runRows(rows, engines, gateways.isKnown);
}

/** Runs rows in the engines that are installed, which reach what is known, and returns the exit code. */
export async function runRows(
  rows: readonly EngineRow[],
  engines: readonly EngineName[],
  isKnown: IsKnown,
): Promise<number> {
  let failed = 0;
  for (const name of engines) {
    await using engine = await startEngine(name, isKnown);
    if (engine === undefined) {
      console.log(`skipped: ${name} (apt-get install ${PACKAGES[name]})`);
      continue;
    }
    for (const { title, run } of rows) {
      try {
        await run(engine);
        console.log(`ok     ${name}: ${title}`);
      } catch (error) {
        failed++;
        console.log(`FAILED ${name}: ${title}`, error);
      }
    }
  }
  return failed > 0 ? 1 : 0;
}

/** Has a page show an edit by itself. */
async function reloadsHot(
  server: DevServer,
  file: string,
  { engine, gateways }: {
    readonly engine: Engine;
    readonly gateways: Gateways;
  },
): Promise<void> {
  await using project = await startProject(
    server,
    await install(server),
    { gateways, modes: ["auto"], line: false },
  );
  const { port, source } = project;
  for (const scheme of SCHEMES) {
    const origin = gateways.origin(scheme, "auto", port);
    await using profile = await engine.openProfile();
    const page = new Page(await profile.newTab(), profile);
    await page.goto(origin + gateways.opening("auto"));
    await page.shows("h1", source.heading());
    await page.until(COUNTS);
    await page.evaluate("globalThis.marked = true");
    await source.edit(file);
    await page.shows("h1", source.heading());
    if (await page.evaluate("globalThis.marked") !== true) {
      console.log(`       (the page at ${origin} was loaded anew)`);
    }
  }
}
