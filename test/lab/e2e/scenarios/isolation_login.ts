/** Login and logout, under attack by an app of another sandbox. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { SECRET, startHostileApp, startVictimApp } from "./isolation_apps.ts";

/** A browser's messages on the console about what it has refused. */
export const REFUSALS =
  /CORS policy|Refused to|violates the following|Framing |scope|blocked|Security Error|rejected for invalid domain|A ServiceWorker intercepted/i;

/** Opens a private preview, and logs in as alice. */
export async function logIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.click("button", "alice");
  await page.untilAt(url);
}

/** Opens a private preview, for which no further login must be required. */
export async function openAtOnce(
  page: Page,
  url: string,
  { logins }: Pick<Stage, "logins">,
): Promise<void> {
  const before = logins();
  await page.goto(url);
  assert.equal(await page.url(), url);
  assert.equal(await page.errorCode(), undefined);
  assert.equal(logins(), before, "a second login");
}

/** Attacks on the gateway's own routes. */
export const loginOfAnotherSandbox: Scenario = {
  name: "a page of another sandbox neither learns of a login nor ends one",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    const locked = stage.url(`${victim.port}-locked`);
    await logIn(page, locked);
    await page.goto(stage.url(`${hostile.port}-demo`));

    await readsNoRedirect(page, stage, locked);
    await endsNoLogin(page, stage);
    await framesNoLogout(page, stage);
    await opensNoToolbox(page, stage);
    await returnsNowhereElse(page, stage);

    await openAtOnce(page, locked, stage);
    assert.match(await page.text(), new RegExp(SECRET));
  },
};

/** The Location of the login's redirect contains the state, and the provider's response a code. */
async function readsNoRedirect(
  page: Page,
  stage: Stage,
  locked: string,
): Promise<void> {
  const login = stage.url("", `/login?return_to=${encodeURIComponent(locked)}`);
  for (
    const [how, expected] of [
      [{ mode: "cors" }, "TypeError"],
      [{ mode: "cors", redirect: "manual" }, "TypeError"],
      [{ mode: "no-cors" }, "0  []"],
    ] as const
  ) {
    const options = JSON.stringify({ ...how, credentials: "include" });
    const visible = await page.evaluate<string>(`
      fetch(${JSON.stringify(login)}, ${options}).then(
        async (response) => [
          response.status,
          response.url,
          JSON.stringify([...response.headers]) + await response.text(),
        ].join(" "),
        (error) => error.name,
      )`);
    assert.equal(visible, expected, options);
  }
}

async function endsNoLogin(page: Page, stage: Stage): Promise<void> {
  const logout = stage.url("", "/logout");
  await page.evaluate(`(() => {
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: "${logout}", target: "_blank" });
    document.body.append(form);
    form.submit();
  })()`);
  const tab = await page.otherTab();
  await tab.untilAt(logout);
  assert.equal(await tab.errorCode(), "cross_site_request");
  await tab.close();
  // Whether that ended the login, the caller sees.
  const silently = await page.evaluate(`fetch("${logout}", {
    method: "POST", mode: "no-cors", credentials: "include",
    referrerPolicy: "no-referrer", body: new URLSearchParams(),
  }).then(() => "sent")`);
  assert.equal(silently, "sent");
}

async function framesNoLogout(page: Page, stage: Stage): Promise<void> {
  await showsNothing(page, stage.url("", "/logout"), /Log out/);
}

async function opensNoToolbox(page: Page, stage: Stage): Promise<void> {
  const url = stage.url("", "/toolbox/locked/process/execute");
  const calls = stage.forwarded("/process/execute");
  const tab = await page.newTab();
  await tab.goto(url);
  assert.equal(await tab.errorCode(), stage.toolboxRefusal);
  await tab.close();
  const written = await page.evaluate(`fetch("${url}", {
    method: "POST", mode: "no-cors", credentials: "include", body: "{}",
  }).then(() => "sent")`);
  assert.equal(written, "sent");
  assert.equal(stage.forwarded("/process/execute"), calls);
}

async function returnsNowhereElse(page: Page, stage: Stage): Promise<void> {
  const { host, port } = new URL(stage.url(""));
  for (
    const place of [
      "https://evil.test/",
      "//evil.test/",
      `http://3000-locked.${host}@evil.test/`,
      `http://3000-locked.proxy.localhost.evil.test:${port}/`,
      `http://evil.test\\@3000-locked.${host}/`,
      "javascript:alert(document.domain)",
    ]
  ) {
    const url = stage.url("", `/login?return_to=${encodeURIComponent(place)}`);
    const tab = await page.newTab();
    await tab.goto(url);
    assert.equal(await tab.url(), url, place);
    assert.equal(await tab.errorCode(), "bad_return_url");
    await tab.close();
  }
}

/** Frames a page that refuses to be framed: engines show an error page of their own or nothing, or fire no event. */
async function showsNothing(
  page: Page,
  url: string,
  unwanted: RegExp,
): Promise<void> {
  const frame = await page.addFrame(url);
  const text = await frame.text().catch(String);
  assert.doesNotMatch(text, unwanted, "it is framed");
}
