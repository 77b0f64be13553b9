/** What a hostile page tries in a real browser: the scenarios of `deno task e2e`, and frames. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "../../e2e/browser/page.ts";
import { runScenario, type Scenario } from "../../e2e/scenario.ts";
import {
  requestsOfAnotherSandbox,
  terminalOfAnotherSandbox,
} from "../../e2e/scenarios/isolation.ts";
import { serveOnLoopback } from "../../e2e/scenarios/isolation_apps.ts";
import {
  cookieTheft,
  cookieTossing,
} from "../../e2e/scenarios/isolation_cookies.ts";
import {
  logIn,
  loginOfAnotherSandbox,
  REFUSALS,
} from "../../e2e/scenarios/isolation_login.ts";
import { plantedCookies } from "../../e2e/scenarios/planted_cookies.ts";
import { untilReady } from "../../../support/ready.ts";
import type { Attack } from "../attack.ts";

/** Longer than a scenario takes, ms. */
const SCENARIO_MS = 30_000;

/** The beginning of a fault that is kept. */
const FAULT_LENGTH = 300;

function inBrowser(
  name: string,
  about: string,
  scenario: Scenario,
  more: Partial<Attack> = {},
): Attack {
  return {
    name,
    about,
    needsBrowser: true,
    lastsMs: SCENARIO_MS,
    // Cookies have other names over TLS, and nothing else differs.
    only: "http",
    ...more,
    async run({ port, scheme, stack }) {
      // Only here: the library takes every permission as soon as it is loaded.
      const { startEngine } = await import("../../e2e/browser/launch.ts");
      await using engine = await startEngine("chromium");
      if (engine === undefined) throw new Error("Chromium is not installed");
      if (scheme === "http") await untilReady(port);
      try {
        await runScenario(scenario, {
          engine,
          gateway: { port, stack },
          scheme,
          screenshotFolder: undefined,
        });
        return [];
      } catch (error) {
        const fault = error instanceof SuppressedError
          ? error.suppressed
          : error;
        return [String(fault).slice(0, FAULT_LENGTH)];
      }
    },
  };
}

const KEYBOARD = `<!doctype html>
<link rel="icon" href="data:,">
<input autofocus>
<script>
addEventListener("load", () => document.querySelector("input").focus());
addEventListener("keydown", ({ key }) => fetch("/typed?" + key));
</script>
`;

/** A page that puts another one in a frame of a kind, over all of itself. */
function framePage(tag: string, url: string): string {
  const source = tag === "object" ? "data" : "src";
  return `<!doctype html>
<link rel="icon" href="data:,">
<style>html, body, ${tag} { margin: 0; border: 0; width: 100%; height: 100%; }</style>
<${tag} ${source}="${url}"></${tag}>
`;
}

const TYPED = "rm";

/** Longer than a key takes to arrive, ms. */
const ARRIVAL_MS = 300;

/** Waits until the page has loaded all it can, clicks into the frame, and types. */
async function typeInto(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.typeAt(300, 200, TYPED);
  await delay(ARRIVAL_MS);
}

/** S4: a terminal, and a private preview, in a frame of a page of another sandbox. */
const framedByAnotherSandbox: Scenario = {
  name: "a page of another sandbox frames nothing private",
  async run(stage) {
    const got: string[] = [];
    let framed = "";
    await using servers = new AsyncDisposableStack();
    const victim = servers.use(serveOnLoopback((request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/typed") got.push(search.slice(1));
      return new Response(KEYBOARD, { headers: HTML });
    }));
    const hostile = servers.use(serveOnLoopback((request) => {
      const tag = new URL(request.url).pathname.slice(1);
      return new Response(framePage(tag, framed), { headers: HTML });
    }));
    const page = await stage.open({ expectedErrors: REFUSALS });
    framed = stage.url(`${victim.port}-locked`);
    await logIn(page, framed);

    // The control: what is typed into the page itself arrives.
    await typeInto(page, framed);
    assert.deepEqual(got.splice(0), [...TYPED], "typed into the page itself");
    for (const tag of ["iframe", "object", "embed"]) {
      await typeInto(page, stage.url(`${hostile.port}-demo`, `/${tag}`));
      assert.deepEqual(got.splice(0), [], `what is typed into an ${tag}`);
    }
  },
};

const HTML = { "content-type": "text/html" };

/** The attacks. */
export const pages: readonly Attack[] = [
  inBrowser(
    "S4-frames",
    "a page of another sandbox puts a private preview in a frame, and the visitor types into it",
    framedByAnotherSandbox,
  ),
  inBrowser(
    "S5-planted-cookies",
    "a page sets nine cookies of 4 KB for all previews, and locks its visitor out of them",
    plantedCookies,
    {
      limit: {
        promises: {},
        reason:
          "above 16 such cookies Deno itself refuses every request: then the visitor has to delete them",
      },
    },
  ),
  inBrowser(
    "A1-page",
    "an app and its scripts read a login's cookie",
    cookieTheft,
  ),
  inBrowser(
    "A2-page",
    "a page plants cookies under our names",
    cookieTossing,
  ),
  inBrowser(
    "A3-page",
    "a page of another sandbox reads or writes a private one, in every way that browsers know",
    requestsOfAnotherSandbox,
  ),
  inBrowser(
    "A4-page",
    "a page of another sandbox opens a terminal",
    terminalOfAnotherSandbox,
  ),
  inBrowser(
    "A7-page",
    "a page of another sandbox learns of a login, or ends one (A23)",
    loginOfAnotherSandbox,
  ),
];
