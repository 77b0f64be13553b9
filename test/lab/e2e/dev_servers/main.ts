// deno-lint-ignore-file no-console
/**
 * `deno task e2e --dev-servers`: real dev servers at real names, over HTTP and HTTPS. `--only next,vite` runs these;
 * `--quick` tries only what has to work; `--save` writes the list in docs/apps.md. `--engine firefox,webkit` tries
 * hot reload by Vite and Next in these, and `--embeds` Vite, Next and Django in the frame of another site's page. The first run fetches the dev servers.
 */
import { parseArgs } from "node:util";
import { UsageError } from "../../../support/options.ts";
import { launchChromium } from "../chromium.ts";
import type { EngineName } from "../browser/engine.ts";
import { parseEngines } from "../options.ts";
import type { DevServer } from "./dev_server.ts";
import { startGateways } from "./gateways.ts";
import { inWords } from "./in_words.ts";
import { type Laboratory, type Row, tryServer } from "./matrix.ts";
import { cacheFolder, NotToBeHad } from "./packages.ts";
import { endDevServers } from "./process.ts";
import { SERVERS } from "./servers.ts";
import { saveRow } from "./table.ts";
import { judge } from "./verdict.ts";

export const USAGE =
  "usage: deno task e2e --dev-servers [--only NAME,...] [--quick] [--save]\n" +
  "       deno task e2e --dev-servers --engine firefox,webkit [--embeds]";

/** The command line, read. */
export interface Options {
  readonly servers: readonly DevServer[];
  readonly quick: boolean;
  readonly save: boolean;
  /** For hot reload only, in place of all else; with `embeds`, for frames. */
  readonly engines?: readonly EngineName[];
  readonly embeds?: boolean;
}

/**
 * Reads the command line.
 *
 * @throws {TypeError} for an option that does not exist.
 * @throws {UsageError} for a dev server that does not exist.
 */
export function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "dev-servers": { type: "boolean" },
      only: { type: "string" },
      engine: { type: "string" },
      quick: { type: "boolean" },
      save: { type: "boolean" },
      embeds: { type: "boolean" },
    },
  });
  const { only, embeds = false, quick = false, save = false } = values;
  const engine = values.engine ?? (embeds ? "chromium" : undefined);
  if (engine !== undefined) {
    if (only !== undefined || quick || save) {
      throw new UsageError("--engine and --embeds stand alone");
    }
    const engines = parseEngines(engine);
    return { servers: [], quick, save, engines, embeds };
  }
  if (quick && save) throw new UsageError("--save needs a complete run");
  if (only === undefined) return { servers: SERVERS, quick, save };
  const servers = only.split(",").map((name) => {
    const server = SERVERS.find((server) => server.name === name);
    if (server !== undefined) return server;
    const names = SERVERS.map(({ name }) => name).join(", ");
    throw new UsageError(`--only knows ${names}, and not '${name}'`);
  });
  return { servers, quick, save };
}

/** No dev server takes longer, with all that can fail, and to be fetched, ms. */
const SERVER_LIMIT_MS = 10 * 60_000;

/** Runs the dev servers one after another, and returns the exit code: 0 if each works as it is described. */
export async function runDevServers(
  executablePath: string,
  { servers, quick, save }: Options,
): Promise<number> {
  await using gateways = await startGateways();
  async function giveUp(): Promise<never> {
    endDevServers();
    await gateways[Symbol.asyncDispose]();
    Deno.exit(1);
  }
  Deno.addSignalListener("SIGINT", giveUp);
  Deno.addSignalListener("SIGTERM", giveUp);
  await using browser = await launchChromium(
    executablePath,
    gateways.resolverRules,
  );
  console.log(`Dev servers are kept in ${cacheFolder()}`);
  let wrong = 0;
  let skipped = 0;
  for (const server of servers) {
    const watchdog = setTimeout(() => {
      console.log(`FAILED ${server.title}: it does not end`);
      giveUp();
    }, SERVER_LIMIT_MS);
    const outcome = await tryOne(server, { browser, gateways, quick });
    clearTimeout(watchdog);
    if (outcome === "skipped") skipped++;
    else if (outcome === "failed") wrong++;
    else {
      if (judge(outcome).length > 0) wrong++;
      if (save) await saveRow(outcome);
    }
  }
  console.log(
    `${
      servers.length - wrong - skipped
    } of ${servers.length} dev servers work as described` +
      (skipped > 0 ? `, ${skipped} could not be had.` : "."),
  );
  return wrong > 0 ? 1 : 0;
}

async function tryOne(
  server: DevServer,
  laboratory: Laboratory,
): Promise<Row | "skipped" | "failed"> {
  const start = performance.now();
  try {
    const row = await tryServer(server, laboratory);
    const wrong = judge(row);
    const outcome = wrong.length === 0 ? "ok    " : "FAILED";
    console.log(
      `${outcome} ${server.title} ${row.version} (${secondsSince(start)} s)`,
    );
    for (const [way, faults] of Object.entries(row.faults)) {
      console.log(`         ${way}: ${inWords(faults)}`);
    }
    for (const { text, faults = [] } of wrong) {
      console.log(`       ${text}`);
      for (const { error } of faults) console.log(error);
    }
    return row;
  } catch (error) {
    if (error instanceof NotToBeHad) {
      console.log(`skipped: ${server.title}: ${error.message}`);
      return "skipped";
    }
    console.log(`FAILED ${server.title} (${secondsSince(start)} s)`);
    console.log(error);
    return "failed";
  }
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}
