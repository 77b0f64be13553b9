/** Login and logout, under attack by an app of another sandbox. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Scenario, Stage } from "../scenario.ts";
import { SECRET, startHostileApp, startVictimApp } from "./isolation_apps.ts";

/** A browser's messages on the console about what it has refused. */
export const REFUSALS =
  /CORS policy|Refused to|violates the following|Framing |scope|blocked/i;

/** Opens a private preview, and logs in as alice. */
export async function logIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("button", { name: "alice" }).click();
  await page.waitForURL(url);
}

/** Opens a private preview, for which no further login must be required. */
export async function openAtOnce(page: Page, url: string): Promise<void> {
  const response = await page.goto(url);
  assert.equal(response?.status(), 200);
  const from = response.request().redirectedFrom();
  assert.equal(from?.url(), undefined, "a second login");
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

    await openAtOnce(page, locked);
    assert.match(await page.innerText("body"), new RegExp(SECRET));
  },
};

/** The Location of the login's redirect contains the state, and the provider's response a code. */
async function readsNoRedirect(
  page: Page,
  stage: Stage,
  locked: string,
): Promise<void> {
  const login = onBase(stage, `/login?return_to=${encodeURIComponent(locked)}`);
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
  const logout = onBase(stage, "/logout");
  const [refused] = await Promise.all([
    page.context().waitForEvent("response", {
      predicate: (response) => response.url() === logout,
    }),
    page.evaluate(`{
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: "${logout}", target: "_blank" });
      document.body.append(form);
      form.submit();
    }`),
  ]);
  assert.equal(refused.status(), 403);
  assert.equal(refused.headers()["x-porthole-error"], "cross_site_request");
  const [silently] = await Promise.all([
    page.waitForResponse(logout),
    page.evaluate(`fetch("${logout}", {
      method: "POST", mode: "no-cors", credentials: "include",
      referrerPolicy: "no-referrer", body: new URLSearchParams(),
    }).then(() => "sent")`),
  ]);
  assert.equal(silently.status(), 403);
}

async function framesNoLogout(page: Page, stage: Stage): Promise<void> {
  const logout = onBase(stage, "/logout");
  await page.evaluate(`new Promise((resolve) => {
    const frame = document.createElement("iframe");
    Object.assign(frame, { name: "logout", src: "${logout}", onload: resolve });
    document.body.append(frame);
  }).then(() => "loaded")`);
  const frame = page.frame("logout");
  assert.ok(frame !== null);
  assert.equal(frame.url(), "chrome-error://chromewebdata/", "it is framed");
}

async function opensNoToolbox(page: Page, stage: Stage): Promise<void> {
  const url = onBase(stage, "/toolbox/locked/process/execute");
  const tab = await page.context().newPage();
  const response = await tab.goto(url);
  assert.equal(response?.status(), 401);
  const [written] = await Promise.all([
    page.waitForResponse(url),
    page.evaluate(`fetch("${url}", {
      method: "POST", mode: "no-cors", credentials: "include", body: "{}",
    }).then(() => "sent")`),
  ]);
  assert.equal(written.status(), 401);
}

async function returnsNowhereElse(page: Page, stage: Stage): Promise<void> {
  const { host, port } = new URL(onBase(stage, "/"));
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
    const url = onBase(
      stage,
      `/login?return_to=${encodeURIComponent(place)}`,
    );
    const tab = await page.context().newPage();
    const response = await tab.goto(url);
    assert.equal(tab.url(), url, place);
    assert.equal(response?.headers()["x-porthole-error"], "bad_return_url");
    await tab.close();
  }
}

function onBase(stage: Stage, target: string): string {
  return stage.url("3000-x", target).replace("3000-x.", "");
}
