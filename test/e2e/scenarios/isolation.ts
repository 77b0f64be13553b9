/** One sandbox against another, in the browser of a visitor who is logged in to one and opens the other. */
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import type { Scenario, Stage } from "../scenario.ts";
import {
  SECRET,
  startHostileApp,
  startVictimApp,
  type VictimApp,
} from "./isolation_apps.ts";
import { attempts } from "./isolation_attempts.js";
import { framed } from "./isolation_frames.ts";
import { logIn, openAtOnce, REFUSALS } from "./isolation_login.ts";

/** A hostile page on another sandbox. */
export const requestsOfAnotherSandbox: Scenario = {
  name: "a page of another sandbox neither reads nor writes a private one",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    await logIn(page, stage.url(`${victim.port}-locked`));
    assert.match(await page.innerText("body"), new RegExp(SECRET));

    const hostilePage = stage.url(`${hostile.port}-demo`);
    for (const [i, attempt] of attempts.entries()) {
      await page.goto(hostilePage);
      const { got, arrivals } = await outcome(stage, { page, victim, i });
      const what = `${attempt.name} of another sandbox`;
      assert.doesNotMatch(got, new RegExp(SECRET), `${what} reads`);
      const allowed = attempt.navigates ? ["GET"] : [];
      assert.deepEqual(arrivals, allowed, `what arrives of ${what}`);
    }
    await stage.screenshot(page, "isolation");
    assert.doesNotMatch(hostile.received.join("\n"), new RegExp(SECRET));
  },
};

/** The control for the scenario above: the very same page succeeds within its own sandbox. */
export const requestsOfAnotherPort: Scenario = {
  name:
    "a page on another port of the same sandbox does both, without another login",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(startVictimApp());
    const sibling = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    await logIn(page, stage.url(`${victim.port}-locked`));

    const siblingPage = stage.url(`${sibling.port}-locked`);
    for (const [i, attempt] of attempts.entries()) {
      await openAtOnce(page, siblingPage);
      const { got, arrivals } = await outcome(stage, { page, victim, i });
      const what = `${attempt.name} of another port`;
      assert.equal(got.includes(SECRET), attempt.home === "reads", what);
      if (attempt.home === "arrives") assert.ok(arrivals.length > 0, what);
    }
  },
};

/** Daytona's own terminal is a target in every sandbox, whatever its app. */
export const terminalOfAnotherSandbox: Scenario = {
  name: "a page of another sandbox or port opens no terminal",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const hostile = stack.use(startHostileApp());
    const terminal = stack.use(startVictimApp());
    stage.listen("locked", 22222, terminal.port);
    const page = await stage.open({ expectedErrors: REFUSALS });
    const opened = stage.url("22222-locked");
    await logIn(page, opened);
    const socket = stage.url("22222-locked", "/ws").replace("http", "ws");
    for (const sandbox of ["locked", "demo"]) {
      await page.goto(stage.url(`${hostile.port}-${sandbox}`));
      assert.match(await refusalOf(page, socket), /Authentication failed/);
      const frame = await framed(page, opened);
      assert.match(await frame.innerText("h1"), /not open in this frame/);
    }
    // A link to it is a visit of the user's.
    await page.evaluate(`location.href = ${JSON.stringify(opened)}`);
    await page.waitForURL(opened);
    assert.match(await page.innerText("body"), new RegExp(SECRET));
    const message = await page.evaluate(`new Promise((resolve) => {
      new WebSocket(${
      JSON.stringify(socket)
    }).onmessage = ({ data }) => resolve(data);
    })`);
    assert.equal(message, SECRET);
  },
};

/** Lets the page make one attempt on the victim, and waits for its end. */
async function outcome(
  stage: Stage,
  { page, victim, i }: { page: Page; victim: VictimApp; i: number },
): Promise<{ got: string; arrivals: readonly string[] }> {
  const mark = crypto.randomUUID();
  const url = stage.url(`${victim.port}-locked`, `/?${mark}`);
  const answered = attempts[i]?.outlivesPage
    ? answer(page.context(), mark)
    : undefined;
  await page.waitForFunction("globalThis.attempt !== undefined");
  const got = await page.evaluate<string>(
    `attempt(${i}, ${JSON.stringify(url)})`,
  );
  await answered;
  for (const other of page.context().pages()) {
    if (other !== page) await other.close();
  }
  return { got, arrivals: victim.arrivals(mark) };
}

/** Waits for the response to a request that no page waits for. */
function answer(context: BrowserContext, mark: string): Promise<unknown> {
  return context.waitForEvent("response", {
    predicate: (response) => response.url().includes(mark),
  });
}

/** The reason for which a WebSocket is refused, which appears on the console and is not visible to scripts. */
async function refusalOf(page: Page, url: string): Promise<string> {
  const [message] = await Promise.all([
    page.waitForEvent("console", {
      predicate: (message) => message.text().includes(url),
    }),
    page.evaluate(`{ new WebSocket(${JSON.stringify(url)}); }`),
  ]);
  return message.text();
}
