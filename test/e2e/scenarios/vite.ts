/** A dev server in a sandbox, as in most previews. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { startViteApp } from "../vite_app.ts";

/** The dev server, without a credential. */
export const viteInPublicSandbox: Scenario = {
  name: "Vite's hot reload reaches the page of a public sandbox",
  run: (stage) => developLive(stage, "demo"),
};

/** The dev server, with the session cookie, which requests for modules and the WebSocket have to carry. */
export const viteInPrivateSandbox: Scenario = {
  name: "Vite's hot reload reaches the page of a private sandbox",
  run: (stage) =>
    developLive(
      stage,
      "locked",
      `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    ),
};

const PROJECT = {
  "index.html": html("Before"),
  "main.js": `
    import { words } from "./words.js";
    import "./style.css";
    const heading = document.querySelector("h1");
    heading.textContent = words;
    import.meta.hot.accept("./words.js", (next) => heading.textContent = next.words);
  `,
  "words.js": words("Old words"),
  "style.css": css("rgb(200, 0, 0)"),
};

async function developLive(
  stage: Stage,
  sandbox: string,
  target = "/",
): Promise<void> {
  await using app = await startViteApp(PROJECT);
  const label = `${app.port}-${sandbox}`;
  const page = await stage.open();
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));

  await connects(page, () => page.goto(stage.url(label, target)));
  await showsWords(page, "Old words");
  await showsColor(page, "rgb(200, 0, 0)");

  await mark(page);
  await app.save("style.css", css("rgb(0, 120, 0)"));
  await showsColor(page, "rgb(0, 120, 0)");
  await app.save("words.js", words("New words"));
  await showsWords(page, "New words");
  assert.ok(await isMarked(page), "the page was reloaded");

  await connects(page, () => app.save("index.html", html("After")));
  assert.equal(await page.title(), "After");

  await mark(page);
  await connects(page, () => app.restart());
  assert.ok(!await isMarked(page), "the page was not reloaded");
  await showsWords(page, "New words");

  // Vite's client falls back to a direct connection if the gateway refuses its WebSocket.
  const through = stage.url(label).replace("http:", "ws:");
  assert.ok(sockets.length >= 3);
  assert.deepEqual(sockets.filter((url) => !url.startsWith(through)), []);
}

/** Runs `cause`, and waits until Vite's client reports that its WebSocket is open. */
async function connects(
  page: Page,
  cause: () => Promise<unknown>,
): Promise<void> {
  await Promise.all([
    page.waitForEvent("console", {
      predicate: (message) => message.text() === "[vite] connected.",
    }),
    cause(),
  ]);
}

async function mark(page: Page): Promise<void> {
  await page.evaluate("globalThis.marked = true");
}

async function isMarked(page: Page): Promise<boolean> {
  return await page.evaluate<boolean>("globalThis.marked === true");
}

async function showsWords(page: Page, words: string): Promise<void> {
  await page.getByRole("heading", { name: words }).waitFor();
}

async function showsColor(page: Page, color: string): Promise<void> {
  await page.waitForFunction(
    `getComputedStyle(document.querySelector("h1")).color === "${color}"`,
  );
}

function html(title: string): string {
  return `<!doctype html>
<title>${title}</title>
<h1></h1>
<script type="module" src="/main.js"></script>
`;
}

function words(text: string): string {
  return `export const words = "${text}";\n`;
}

function css(color: string): string {
  return `h1 { color: ${color}; }\n`;
}
