/** One sandbox against another, in the browser of a visitor who is logged in to one and opens the other. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import type { Scenario, Stage } from "../scenario.ts";
import {
  SECRET,
  startHostileApp,
  startVictimApp,
  type VictimApp,
} from "./isolation_apps.ts";
import { attempts } from "./isolation_attempts.js";
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
    assert.match(await page.text(), new RegExp(SECRET));

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
      await openAtOnce(page, siblingPage, stage);
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
      assert.equal(await messageFrom(page, socket), "refused");
      const frame = await page.addFrame(opened);
      assert.match(await frame.text("h1"), /not open in this frame/);
    }
    // A link to it is a visit of the user's.
    await page.evaluate(`void (location.href = ${JSON.stringify(opened)})`);
    await page.untilAt(opened);
    assert.match(await page.text(), new RegExp(SECRET));
    assert.equal(await messageFrom(page, socket), SECRET);
  },
};

/** Lets the page make one attempt on the victim, and waits for its end. */
async function outcome(
  stage: Stage,
  { page, victim, i }: { page: Page; victim: VictimApp; i: number },
): Promise<{ got: string; arrivals: readonly string[] }> {
  const mark = crypto.randomUUID();
  const url = stage.url(`${victim.port}-locked`, `/?${mark}`);
  await page.until("globalThis.attempt !== undefined");
  const got = await page.evaluate<string>(
    `attempt(${i}, ${JSON.stringify(url)})`,
  );
  if (attempts[i]?.opensWindow) {
    const window = await page.otherTab();
    await window.until(
      `location.href !== "about:blank" && document.readyState === "complete"`,
    );
    await window.close();
  }
  return { got, arrivals: victim.arrivals(mark) };
}

/** The first message from a WebSocket. */
async function messageFrom(page: Page, url: string): Promise<string> {
  return await page.evaluate<string>(`new Promise((resolve) => {
    const socket = new WebSocket(${JSON.stringify(url)});
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => resolve("refused");
  })`);
}
