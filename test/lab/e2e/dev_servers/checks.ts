/**
 * What a visitor does with the app of a dev server. The apps have the same elements: a heading that is "Before" in the
 * source, a button `#count` that counts clicks, a form with `#word` and `#send` whose answer has `#said`, and a
 * redirect from /away to a page with `#landed`.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Check, Visit } from "./dev_server.ts";

/** Scripts run: the button counts. A click before the page is interactive does nothing, so it is repeated. */
export function interactive(target = "/"): Check {
  return {
    what: "page",
    async run({ page, origin }) {
      await page.goto(origin + target);
      await countsClicks(page);
    },
  };
}

/** A file is saved, and the page shows it by itself. */
export function hotReload(file: string, target = "/"): Check {
  return {
    what: "edit",
    async run({ page, origin, heading, edit }) {
      const connected = devClientConnects(page);
      await page.goto(origin + target);
      await shows(page, heading());
      await countsClicks(page); // an edit amid the page's start may be lost
      await connected;
      await edit(file);
      await shows(page, heading());
    },
  };
}

/** A file is saved, and the page shows it once it is loaded again: the server has no hot reload. */
export function reload(file: string): Check {
  return {
    what: "edit",
    async run({ page, origin, heading, edit }) {
      await page.goto(origin);
      await shows(page, heading());
      await edit(file);
      // While the server restarts, what comes is a page of the gateway's, or the old one.
      const wanted = page.getByRole("heading", {
        name: heading(),
        exact: true,
      });
      const deadline = performance.now() + RESTART_MS;
      while (!await wanted.isVisible()) {
        assert.ok(performance.now() < deadline, "the edit does not show");
        await page.waitForTimeout(RELOAD_MS);
        await page.reload().catch(() => {}); // some answer with nothing
      }
    },
  };
}

/** A form is posted, and the answer has what was typed. */
export function form(target = "/"): Check {
  return {
    what: "form",
    async run({ page, origin }) {
      await page.goto(origin + target);
      await page.locator("#word").fill("porthole");
      await page.locator("#send").click();
      await page.locator("#said", { hasText: "porthole" }).waitFor();
      assert.equal(new URL(page.url()).origin, origin);
    },
  };
}

/** The server redirects within the app. */
export function redirect(target = "/away"): Check {
  return {
    what: "redirect",
    async run({ page, origin }) {
      await page.goto(origin + target);
      await page.locator("#landed").waitFor();
      assert.equal(new URL(page.url()).origin, origin);
    },
  };
}

/** The app's own socket works: the page writes "echo" into `#socket` once its message has come back. */
export const socket: Check = {
  what: "socket",
  async run({ page, origin }: Visit) {
    await page.goto(origin);
    await page.locator("#socket", { hasText: "echo" }).waitFor();
  },
};

/** An expression that is true once `#count` counts clicks; until then, it clicks. */
export const COUNTS = `(() => {
  const button = document.querySelector("#count");
  if (button === null || button.textContent !== "0") return button !== null;
  button.click();
  return false;
})()`;

async function countsClicks(page: Page): Promise<void> {
  await page.waitForFunction(COUNTS, undefined, { polling: 100 });
}

async function shows(page: Page, heading: string): Promise<void> {
  await page.getByRole("heading", { name: heading, exact: true }).waitFor();
}

/** How long a server may take to restart, and the time between two looks at it, ms. */
const RESTART_MS = 15_000;
const RELOAD_MS = 300;

/** How long a dev server's client may take until its server knows it, ms. */
const CONNECT_MS = 3000;

/** Resolves once a WebSocket of the page has received something, or after a while. */
async function devClientConnects(page: Page): Promise<void> {
  try {
    const socket = await page.waitForEvent("websocket", {
      timeout: CONNECT_MS,
    });
    await socket.waitForEvent("framereceived", { timeout: CONNECT_MS });
  } catch {
    // It has another way to learn of edits, or none; the check itself will tell.
  }
}
