/** What a page has its browser prefetch by speculation rules, which Chromium sends as if the visitor had typed it. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import type { Scenario, Stage } from "../scenario.ts";
import {
  startHostileApp,
  startVictimApp,
  type VictimApp,
} from "./isolation_apps.ts";
import { logIn, REFUSALS } from "./isolation_login.ts";

const except = {
  firefox: "it has no speculation rules",
  webkit: "it has no speculation rules",
};

/** A hostile page on another sandbox. */
export const speculationOfAnotherSandbox: Scenario = {
  name: "a page of another sandbox prefetches nothing of a private one",
  except,
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    stage.listen("locked", 22222, victim.port);
    const page = await stage.open({ expectedErrors: REFUSALS });
    await logIn(page, stage.url(`${victim.port}-locked`));

    await page.goto(stage.url(`${hostile.port}-demo`));
    for (const label of [`${victim.port}-locked`, "22222-locked"]) {
      const arrived = await speculate(stage, { page, victim, label });
      assert.deepEqual(arrived, [], label);
    }
    // The control: a page of the same sandbox.
    await page.goto(stage.url(`${hostile.port}-locked`));
    const label = `${victim.port}-locked`;
    const arrived = await speculate(stage, { page, victim, label });
    assert.deepEqual(arrived, ["GET"]);
  },
};

/** Has a page prefetch from a host, and then from a public one until that arrives; returns what has arrived of the first. */
async function speculate(
  stage: Stage,
  { page, victim, label }: {
    readonly page: Page;
    readonly victim: VictimApp;
    readonly label: string;
  },
): Promise<readonly string[]> {
  const mark = crypto.randomUUID();
  await prefetch(page, stage.url(label, `/?${mark}`));
  // Chromium prefetches a few at once, in order: when two later ones are here, the first was answered.
  for (let i = 0; i < 2; i++) {
    const behind = crypto.randomUUID();
    await prefetch(page, stage.url(`${victim.port}-demo`, `/?${behind}`));
    for (let tries = 0; victim.arrivals(behind).length === 0; tries++) {
      assert.ok(tries < 100, "nothing is prefetched");
      await page.evaluate("new Promise((wake) => setTimeout(wake, 50))");
    }
  }
  return victim.arrivals(mark);
}

async function prefetch(page: Page, url: string): Promise<void> {
  const rules = { prefetch: [{ urls: [url], eagerness: "immediate" }] };
  await page.evaluate(`void document.head.append(Object.assign(
    document.createElement("script"),
    { type: "speculationrules", textContent: ${
    JSON.stringify(JSON.stringify(rules))
  } },
  ))`);
}
