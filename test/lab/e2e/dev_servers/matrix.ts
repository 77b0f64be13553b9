/** Runs one dev server, and a browser through both gateways, in each way that the table has a column for. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { freePort } from "../../../support/free_port.ts";
import {
  type Check,
  type DevServer,
  isComplete,
  type Visit,
} from "./dev_server.ts";
import { type Gateways, type Mode, type Scheme, SCHEMES } from "./gateways.ts";
import { install, type Installed, writeProject } from "./packages.ts";
import { startDevServer } from "./process.ts";

/** The longest that a check waits for one thing, ms. */
const TIMEOUT_MS = 15_000;

/** The longest that closing a page may take, ms. */
const CLOSE_MS = 5000;

/** What did not work: a check, and over which schemes. */
export interface Fault {
  readonly what: Check["what"];
  readonly schemes: readonly Scheme[];
  /** The first error, for whoever looks for the cause. */
  readonly error: unknown;
}

/** The faults of a dev server in each way that was tried. */
export interface Row {
  readonly server: DevServer;
  readonly version: string;
  readonly faults: Readonly<Partial<Record<Mode | "line", readonly Fault[]>>>;
}

/** What the runs of all dev servers have in common. */
export interface Laboratory {
  readonly browser: Browser;
  readonly gateways: Gateways;
  /** True to try only what has to work in `auto`. */
  readonly quick: boolean;
}

/**
 * Installs and runs a dev server.
 *
 * @throws {NotToBeHad} if it cannot be fetched.
 * @throws {Error} if it does not start.
 */
export async function tryServer(
  server: DevServer,
  laboratory: Laboratory,
): Promise<Row> {
  const installed = await install(server);
  const faults: Partial<Record<Mode | "line", readonly Fault[]>> = {};
  const modes: Mode[] = laboratory.quick
    ? isComplete(server) ? ["auto"] : server.worksInLocal ? ["local"] : []
    : ["auto", "local", "pass"];
  if (modes.length > 0) {
    Object.assign(
      faults,
      await tryProject(server, installed, laboratory, modes, false),
    );
  }
  if (server.line !== undefined) {
    const { auto = [] } = //
      await tryProject(server, installed, laboratory, ["auto"], true);
    faults.line = auto;
  }
  return { server, version: installed.version, faults };
}

/** Runs one form of the project, and returns its faults in each mode. */
async function tryProject(
  server: DevServer,
  installed: Installed,
  { browser, gateways }: Laboratory,
  modes: readonly Mode[],
  line: boolean,
): Promise<Partial<Record<Mode, readonly Fault[]>>> {
  await using project = await startProject(
    server,
    installed,
    { gateways, modes, line },
  );
  const { port, apiPort, source } = project;
  const faults: Partial<Record<Mode, readonly Fault[]>> = {};
  for (const mode of modes) {
    const errors: { what: Check["what"]; scheme: Scheme; error: unknown }[] =
      [];
    for (const scheme of SCHEMES) {
      const origin = gateways.origin(scheme, mode, port);
      const apiOrigin = gateways.origin(scheme, mode, apiPort);
      for (
        const { what, error } of await visit(
          browser,
          server,
          { origin, apiOrigin, opening: gateways.opening(mode), source },
        )
      ) errors.push({ what, scheme, error });
    }
    faults[mode] = Map.groupBy(errors, ({ what }) => what).entries()
      .map(([what, same]) => ({
        what,
        schemes: [...new Set(same.map(({ scheme }) => scheme))],
        error: same[0]?.error,
      })).toArray();
  }
  return faults;
}

/** A dev server that runs, and its source. */
export interface Project extends AsyncDisposable {
  readonly port: number;
  readonly apiPort: number;
  readonly source: Source;
}

/**
 * Writes a form of the project of a dev server that is installed, and starts that behind the gateways.
 *
 * @throws {Error} if it does not start.
 */
export async function startProject(
  server: DevServer,
  installed: Installed,
  { gateways, modes, line }: {
    readonly gateways: Gateways;
    readonly modes: readonly Mode[];
    readonly line: boolean;
  },
): Promise<Project> {
  const port = freePort();
  const apiPort = freePort();
  const origins = SCHEMES.flatMap((scheme) =>
    modes.map((mode) => gateways.origin(scheme, mode, port))
  );
  const settings = { port, apiPort, origins, line };
  await writeProject(installed.folder, server.files(settings));
  gateways.listen(port);
  if (server.hasApi) gateways.listen(apiPort);
  const source = createSource(installed.folder);
  const process = await startDevServer(server, installed, settings);
  return {
    port,
    apiPort,
    source,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Makes the checks at one origin, each in a page of its own, and returns what went wrong. */
async function visit(
  browser: Browser,
  { checks, hasApi }: DevServer,
  { origin, apiOrigin, opening, source }: {
    readonly origin: string;
    readonly apiOrigin: string;
    readonly opening: string;
    readonly source: Source;
  },
): Promise<{ what: Check["what"]; error: unknown }[]> {
  await using closing = new AsyncDisposableStack();
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  closing.defer(() => close(context));
  context.setDefaultTimeout(TIMEOUT_MS);
  const first = await context.newPage();
  // Only for the session; if the app has no answer, the checks will tell.
  for (const opened of hasApi ? [origin, apiOrigin] : [origin]) {
    await first.goto(opened + opening, { waitUntil: "commit" }).catch(() => {});
  }
  await close(first);
  const faults: { what: Check["what"]; error: unknown }[] = [];
  for (const { what, run } of checks) {
    const page = await context.newPage();
    try {
      await run({ ...source, origin, apiOrigin, page, context });
    } catch (error) {
      faults.push({ what, error });
      if (what === "page") break; // the others need one
    } finally {
      await close(page);
    }
  }
  return faults;
}

/** Closes a page or a context; the browser has been seen not to answer, although the page was closed. */
async function close(it: { close(): Promise<void> }): Promise<void> {
  await Promise.race([it.close(), delay(CLOSE_MS, undefined, { ref: false })]);
}

/** The source of the running project: each edit gives it a heading that it never had before. */
export type Source = Pick<Visit, "heading" | "edit">;

function createSource(folder: string): Source {
  let heading = "Before";
  let edits = 0;
  return {
    heading: () => heading,
    async edit(file) {
      const path = join(folder, file);
      const text = await Deno.readTextFile(path);
      const next = `After ${++edits}`;
      await Deno.writeTextFile(path, text.replaceAll(heading, next));
      heading = next;
    },
  };
}
