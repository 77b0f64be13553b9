/** The demo app through the gateway, with every button of it. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import type { Scenario } from "../scenario.ts";

/** Uses each panel, and checks its output. */
export const demoApp: Scenario = {
  name: "the demo page opens, and each of its buttons works",
  async run(stage) {
    const page = await stage.open();
    const response = await page.goto(stage.url("3000-demo"));
    assert.equal(response?.status(), 200);
    assert.equal(await page.title(), "3000 of demo");
    // The page sends its first request by itself.
    await output(panel(page, "What the app receives"), "200 after").waitFor();
    await stage.screenshot(page, "demo");

    await sendsEveryByte(panel(page, "What the app receives"));
    await echoes(panel(page, "WebSocket"));
    await listens(panel(page, "Server-sent events"));
    await streams(page, panel(page, "Large bodies"));
    await stage.screenshot(page, "demo-used");
  },
};

async function sendsEveryByte(echo: Locator): Promise<void> {
  await echo.getByLabel("Method").selectOption("PUT");
  await echo.getByLabel("Path").fill("/echo?a%40b=(x)&;%2F//");
  await echo.getByRole("button", { name: "Send" }).click();
  await output(echo, `"method": "PUT"`).waitFor();
  await output(echo, `"url": "/echo?a%40b=(x)&;%2F//"`).waitFor();
  await output(echo, `"body": "Hello from the browser"`).waitFor();
}

async function echoes(webSocket: Locator): Promise<void> {
  await webSocket.getByLabel("Message").fill("Ahoy, größer ☂");
  const send = webSocket.getByRole("button", { name: "Send" });
  await send.click();
  await output(webSocket, "Ahoy, größer ☂  (back after").waitFor();
  await webSocket.getByRole("button", { name: "Close" }).click();
  await output(webSocket, "closed with 1000").waitFor();
}

async function listens(events: Locator): Promise<void> {
  await events.getByRole("button", { name: "Listen" }).click();
  // The stream is endless, so nothing would be shown if anything on the way buffered it.
  await output(events, "event 3,").waitFor();
  await events.getByRole("button", { name: "Stop" }).click();
  assert.doesNotMatch(await events.innerText(), /connection lost/);
}

async function streams(page: Page, bodies: Locator): Promise<void> {
  await bodies.getByLabel("Size").selectOption("16 MiB");
  await bodies.getByRole("button", { name: "Download" }).click();
  await output(bodies, "download of 16 MiB").waitFor();

  const [answer] = await Promise.all([
    page.waitForResponse(/\/upload$/),
    bodies.getByRole("button", { name: "Upload" }).click(),
  ]);
  assert.deepEqual(await answer.json(), { bytes: 16 * 1024 * 1024 });
}

function panel(page: Page, title: string): Locator {
  return page.locator("section", {
    has: page.getByRole("heading", { name: title }),
  });
}

function output(panel: Locator, text: string): Locator {
  return panel.locator("output", { hasText: text });
}
