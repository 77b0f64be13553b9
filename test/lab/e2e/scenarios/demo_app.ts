/** The demo app through the gateway, with every button of it. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import type { Scenario } from "../scenario.ts";

/** Uses each panel, and checks its output. */
export const demoApp: Scenario = {
  name: "the demo page opens, and each of its buttons works",
  async run(stage) {
    const page = await stage.open();
    await page.goto(stage.url("3000-demo"));
    assert.equal(await page.title(), "3000 of demo");
    // The page sends its first request by itself.
    await page.shows(`${panel("echo")} output`, "200 after");
    await stage.screenshot(page, "demo");

    await sendsEveryByte(page);
    await echoes(page);
    await listens(page);
    await streams(page);
    await stage.screenshot(page, "demo-used");
  },
};

async function sendsEveryByte(page: Page): Promise<void> {
  await page.fill("[aria-label=Method]", "PUT");
  await page.fill("[aria-label=Path]", "/echo?a%40b=(x)&;%2F//");
  await page.click(`${panel("echo")} button`, "Send");
  const output = `${panel("echo")} output`;
  await page.shows(output, `"method": "PUT"`);
  await page.shows(output, `"url": "/echo?a%40b=(x)&;%2F//"`);
  await page.shows(output, `"body": "Hello from the browser"`);
}

async function echoes(page: Page): Promise<void> {
  await page.fill("[aria-label=Message]", "Ahoy, größer ☂");
  await page.click(`${panel("webSocket")} button`, "Send");
  const output = `${panel("webSocket")} output`;
  await page.shows(output, "Ahoy, größer ☂  (back after");
  await page.click(`${panel("webSocket")} button`, "Close");
  await page.shows(output, "closed with 1000");
}

async function listens(page: Page): Promise<void> {
  await page.click(`${panel("events")} button`, "Listen");
  const output = `${panel("events")} output`;
  // The stream is endless, so nothing would be shown if anything on the way buffered it.
  await page.shows(output, "event 3,");
  await page.click(`${panel("events")} button`, "Stop");
  assert.doesNotMatch(await page.text(output), /connection lost/);
}

async function streams(page: Page): Promise<void> {
  await page.fill("[aria-label=Size]", "16 MiB");
  const output = `${panel("bytes")} output`;
  for (const direction of ["Download", "Upload"]) {
    await page.click(`${panel("bytes")} button`, direction);
    await page.shows(output, `${direction.toLowerCase()} of 16 MiB`);
  }
}

/** The selector of a panel, by what its form does. */
function panel(form: string): string {
  return `section:has([data-run=${form}])`;
}
