/** Links by which others open a private preview: for people who press a button, and for nothing else. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "../browser/page.ts";
import { PATIENCE_MS } from "../browser/poll.ts";
import type { OpenOptions, Scenario, Stage } from "../scenario.ts";
import { type MadeShare, startShareWorld } from "../share_world.ts";
import { checkAccessibility } from "./accessibility.ts";
import { startStrictApp } from "./embed_app.ts";

/** Where the page says what came of a press. */
const STATE = "[role=status]";

/** Longer than what is open goes on before it is asked about again, ms. */
const RECHECK_MS = 28_000;

const SCREENS: Readonly<Record<string, OpenOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { window: { width: 390, height: 844 } },
  small: { colorScheme: "dark", window: { width: 320, height: 260 } },
};

/** Opens a link as who has got it, in a new browser. */
async function receive(
  stage: Stage,
  { url }: MadeShare,
  options?: OpenOptions,
): Promise<Page> {
  const page = await stage.open(options);
  await page.goto(url);
  await page.shows("h1", "A preview was shared with you");
  return page;
}

async function press(page: Page): Promise<void> {
  await page.click("button", "Open the preview");
}

/** Waits until the app is there, its WebSocket included. */
async function opened(page: Page): Promise<void> {
  await page.shows("output", "open");
}

export const sharesPress: Scenario = {
  name:
    "shares: a press opens the preview at its path, as often as the link says, and the secret is in no address",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startShareWorld();
    const path = "/docs?a=1#part";
    const share = await world.share(app.port, { path, uses: 1 });
    const [clean = "", secret = ""] = share.url.split("#");
    const page = await receive(stage, share);
    assert.equal(await page.url(), clean);
    assert.deepEqual(app.targets, [], "nothing was opened before the press");
    await press(page);
    await page.untilAt(world.preview(app.port, path));
    await opened(page);
    await page.reload();
    await opened(page);
    assert.ok(!app.targets.join().includes(secret));
    for (const target of app.targets) {
      assert.ok(["/docs?a=1", "/socket"].includes(target), target);
    }
    assert.equal(await world.usesLeft(share), 0);

    const later = await receive(stage, share);
    await press(later);
    await later.shows(STATE, "This link has been used up.");
    assert.equal(await later.url(), clean);
    // The link once more, in the same tab.
    await later.evaluate(`void (location.href = "${share.url}")`);
    await later.until(`document.querySelector("${STATE}").textContent === ""`);
    assert.equal(await later.url(), clean);
  },
};

/** What scans links has no hands: neither its waiting nor its scripts open anything. */
export const sharesScripts: Scenario = {
  name:
    "shares: a browser that loads the page, waits, and has a script send its form and click opens nothing and uses nothing up",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startShareWorld();
    const share = await world.share(app.port, { uses: 1 });
    const page = await receive(stage, share);
    const asked = await page.evaluate<string[]>(`(async () => {
      const asked = [];
      const { fetch } = globalThis;
      globalThis.fetch = (...all) => (asked.push(String(all[0])), fetch(...all));
      const [form] = document.forms;
      const button = form.querySelector("button");
      const field = form.querySelector("input");
      const wait = () => new Promise((resolve) => setTimeout(resolve, 300));
      await wait();
      button.click();
      button.focus();
      const bubbles = { bubbles: true, cancelable: true };
      button.dispatchEvent(new MouseEvent("click", bubbles));
      button.dispatchEvent(new PointerEvent("click", bubbles));
      for (const target of [button, field]) {
        for (const type of ["keydown", "keypress", "keyup"]) {
          const key = { key: "Enter", code: "Enter", keyCode: 13, ...bubbles };
          target.dispatchEvent(new KeyboardEvent(type, key));
        }
      }
      const sends = [
        () => form.requestSubmit(),
        () => form.requestSubmit(button),
        () => form.submit(),
      ];
      for (const send of sends) {
        try {
          send();
        } catch {
          // So says Firefox that there is nothing to send.
        }
      }
      await wait();
      return asked;
    })()`);
    assert.deepEqual(asked, []);
    assert.deepEqual(app.targets, []);
    assert.equal(await world.usesLeft(share), 1);
    await press(page); // it was not broken either
    await opened(page);
  },
};

export const sharesPasscode: Scenario = {
  name:
    "shares: the page asks for a passcode once it is needed, and opens the preview with the right one only",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startShareWorld();
    const passcode = "open sesame";
    const share = await world.share(app.port, { passcode, uses: 1 });
    const page = await receive(stage, share);
    const isAsked = `document.querySelector("input").checkVisibility()`;
    assert.equal(await page.evaluate(isAsked), false);
    await press(page);
    await page.shows(STATE, "This link takes a passcode.");
    await page.until(`document.activeElement.matches("input")`);
    await page.fill("input", "a wrong one");
    await page.press("Enter");
    await page.shows(STATE, "That is not the passcode.");
    assert.deepEqual(app.targets, []);
    assert.equal(await world.usesLeft(share), 1);
    await page.fill("input", passcode);
    await page.press("Enter");
    await opened(page);
    assert.equal(await page.url(), world.preview(app.port));
    assert.ok(!app.targets.join().includes("sesame"));
  },
};

/** Who may open it logs in on the way, and comes back to the button. */
export const sharesLogin: Scenario = {
  name:
    "shares: a link for an address leads to a login and back, opens for who has that address, and for nobody else",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startShareWorld();
    const { provider } = world.gateway;
    for (const user of ["alice", "mallory"]) {
      provider.claims.set(user, { email_verified: true });
    }
    // Somebody who may open nothing else there.
    world.gateway.setAccess("mallory", false);
    const emails = ["mallory@example.test"];
    const share = await world.share(app.port, { emails });
    const [clean = ""] = share.url.split("#");
    for (const user of ["alice", "mallory"]) {
      const page = await receive(stage, share);
      await press(page);
      await page.click("button", user);
      await page.untilAt(clean);
      assert.equal(await page.evaluate("sessionStorage.length"), 0);
      assert.deepEqual(app.targets, []);
      await press(page);
      if (user === "alice") {
        await page.shows(STATE, "This link is for somebody else.");
      } else {
        await opened(page);
        assert.equal(await page.url(), world.preview(app.port));
      }
    }
  },
};

export const sharesEnd: Scenario = {
  name:
    "shares: the end of a link cuts what the open page has open, and the link opens nothing from then on",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startShareWorld();
    const share = await world.share(app.port);
    const page = await receive(stage, share);
    await press(page);
    await opened(page);
    await world.end(share);
    await delay(RECHECK_MS - PATIENCE_MS);
    await page.shows("output", "closed");
    const { length } = app.targets;
    await page.goto(world.preview(app.port));
    assert.equal(await page.errorCode(), "grant_invalid");
    assert.equal(app.targets.length, length);

    const later = await receive(stage, share);
    await press(later);
    await later.shows(STATE, "This link opens nothing.");
  },
};

/** From the owner's view to somebody else's browser. */
export const sharesMember: Scenario = {
  name:
    "shares: a member makes a link on the access page, which opens for somebody else until it is revoked there",
  except: {
    firefox: "the access page is judged in Chromium",
    webkit: "the access page is judged in Chromium",
  },
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startShareWorld();
    const { gateway } = world;
    world.listen(app.port);
    const member = await stage.open();
    await member.goto(gateway.at("", "/inspect/locked"));
    await member.click("button", "alice");
    await member.click("a", "Access");
    await member.untilAt(gateway.at("", "/access/locked"));
    const state = "#shares [role=status]";
    await member.shows(state, "There are no shares yet.");
    await member.fill("#shares [name=port]", String(app.port));
    await member.fill("#shares [name=uses]", "2");
    await member.click("#shares form button");
    await member.shows(state, "Made.");
    const url = await member.text("#shares .made pre");
    const share = { id: "", url, usesLeft: 2 };

    const page = await receive(stage, share);
    await press(page);
    await opened(page);
    await member.reload();
    await member.shows("#shares tbody td:nth-child(4)", "1");
    const secret = url.split("#")[1] ?? assert.fail(url);
    const html = await member.evaluate<string>("document.body.innerHTML");
    assert.ok(!html.includes(secret), "it is shown once");
    await member.evaluate("globalThis.confirm = () => true");
    await member.click("#shares tbody button", "Revoke");
    await member.shows(state, "Revoked.");
    const later = await receive(stage, share);
    await press(later);
    await later.shows(STATE, "This link opens nothing.");
  },
};

export const sharesPage: Scenario = {
  name:
    "shares: the page says on every screen what it can do, without its secret and without JavaScript, too",
  except: { webkit: "its driver needs scripts" },
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startShareWorld();
    const share = await world.share(app.port, { passcode: "open sesame" });
    const [clean = ""] = share.url.split("#");
    for (const [screen, options] of Object.entries(SCREENS)) {
      const page = await receive(stage, share, options);
      await checkAccessibility(page, `a share (${screen})`);
      await press(page);
      await page.shows(STATE, "This link takes a passcode.");
      await checkAccessibility(page, `a share's passcode (${screen})`);
      await stage.screenshot(page, `share-${screen}`);
    }
    const page = await receive(stage, { ...share, url: clean });
    await page.shows(STATE, "A part of the link is missing.");
    assert.equal(
      await page.evaluate(`document.forms[0].checkVisibility()`),
      false,
    );
    const plain = await receive(stage, share, { javaScript: false });
    await plain.shows(STATE, "this page needs JavaScript");
  },
};
