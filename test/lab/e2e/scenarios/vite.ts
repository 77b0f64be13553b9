/** A dev server in a sandbox, as in most previews. */
import assert from "node:assert/strict";
import type { Frame, Page } from "../browser/page.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { startViteApp, type ViteApp } from "../vite_app.ts";

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

/**
 * Keeps what the page writes to the console and the URLs of its WebSockets, beyond its reloads. It comes before Vite's
 * client, which is a module.
 */
const RECORDER = `
function record(list, value) {
  const values = JSON.parse(sessionStorage[list] ?? "[]");
  sessionStorage[list] = JSON.stringify([...values, value]);
}
const { debug } = console;
console.debug = (...args) => {
  record("lines", args.join(" "));
  debug(...args);
};
globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...rest) {
    super(url, ...rest);
    record("sockets", this.url);
  }
};
`;

/** Modules, a style and a heading that change without a reload. */
export const PROJECT = {
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
  const url = stage.url(`${app.port}-${sandbox}`);
  const page = await stage.open();
  await page.goto(url.replace(/\/$/, target));
  await follows(page, app);
  await survivesRestart(page, app, url);
}

/** The page, which has been opened, follows the changes of the project. */
export async function follows(page: Frame, app: ViteApp): Promise<void> {
  await connects(page, 1);
  await showsWords(page, "Old words");
  await showsColor(page, "rgb(200, 0, 0)");

  await mark(page);
  await app.save("style.css", css("rgb(0, 120, 0)"));
  await showsColor(page, "rgb(0, 120, 0)");
  await app.save("words.js", words("New words"));
  await showsWords(page, "New words");
  assert.ok(await isMarked(page), "the page was reloaded");

  await app.save("index.html", html("After"));
  await connects(page, 2);
  assert.equal(await page.evaluate("document.title"), "After");
}

/** It is loaded anew once the server is back, and all went through the gateway at that URL. */
export async function survivesRestart(
  page: Page,
  app: ViteApp,
  url: string,
): Promise<void> {
  await mark(page);
  await app.restart();
  await connects(page, 3);
  assert.ok(!await isMarked(page), "the page was not reloaded");
  await showsWords(page, "New words");

  // Vite's client falls back to a direct connection if the gateway refuses its WebSocket.
  const through = url.replace("http:", "ws:");
  const sockets = await recorded(page, "sockets");
  assert.ok(sockets.length >= 3);
  assert.deepEqual(sockets.filter((url) => !url.startsWith(through)), []);
}

async function recorded(
  page: Frame,
  list: "lines" | "sockets",
): Promise<readonly string[]> {
  return await page.evaluate<string[]>(
    `JSON.parse(sessionStorage.${list} ?? "[]")`,
  );
}

/** Waits until Vite's client has reported that many times that its WebSocket is open. */
async function connects(page: Frame, times: number): Promise<void> {
  await page.until(
    `(sessionStorage.lines ?? "").split("[vite] connected.").length > ${times}`,
  );
}

async function mark(page: Frame): Promise<void> {
  await page.evaluate("globalThis.marked = true");
}

async function isMarked(page: Frame): Promise<boolean> {
  return await page.evaluate<boolean>("globalThis.marked === true");
}

async function showsWords(page: Frame, words: string): Promise<void> {
  await page.shows("h1", words);
}

async function showsColor(page: Frame, color: string): Promise<void> {
  await page.until(
    `getComputedStyle(document.querySelector("h1")).color === "${color}"`,
  );
}

function html(title: string): string {
  return `<!doctype html>
<script>${RECORDER}</script>
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
