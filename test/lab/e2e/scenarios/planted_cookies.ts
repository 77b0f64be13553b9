/** Cookies that a hostile preview sets for all previews. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import type { Scenario } from "../scenario.ts";
import { SECRET, startHostileApp, startVictimApp } from "./isolation_apps.ts";
import { logIn } from "./isolation_login.ts";

/** S5: nine cookies of 4 KB would make every request too large, for up to 400 days. */
export const plantedCookies: Scenario = {
  name:
    "a page that fills the browser with cookies for all previews costs its visitor one reload (S5)",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open();
    const locked = stage.url(`${victim.port}-locked`, "/deep/page");
    await logIn(page, locked);
    await page.evaluate(`document.cookie = "app=own; path=/"`);
    const logins = stage.logins();

    // Below the root too, and under a name that is the login's.
    const [login] = (await page.cookies()).filter(({ name }) =>
      name.startsWith("porthole-login-")
    );
    for (const [path, name = ""] of [["/"], ["/deep"], ["/", login?.name]]) {
      await page.goto(stage.url(`${hostile.port}-demo`));
      await plant(page, { path: path ?? "/", name });
      await page.goto(locked);
      assert.equal(await page.errorCode(), "head_too_large", "is locked out");
      await page.reload();
      assert.match(await page.text(), new RegExp(SECRET), "is let in");
      assert.equal(stage.logins(), logins, "logged in again");
      assert.equal(await page.evaluate("document.cookie"), "app=own");
    }
  },
};

/** S5: what only the browser can delete, since the gateway does not know its path. */
export const plantedCookiesElsewhere: Scenario = {
  name:
    "cookies that the gateway cannot delete are deleted by the logout page (S5)",
  async run(stage) {
    await using hostile = startHostileApp();
    const page = await stage.open();
    const deep = stage.url("3000-demo", "/a/b/c/d/e/f");
    const isLockedOut = async () => await page.errorCode() === "head_too_large";
    await page.goto(stage.url(`${hostile.port}-demo`));
    await plant(page, { path: "/a/b/c/d/e" });
    await page.goto(deep);
    assert.ok(await isLockedOut());
    await page.reload();
    assert.ok(await isLockedOut());

    await page.click("a", "Delete the cookies");
    await page.click("button", "Delete all cookies");
    await page.shows(
      "h1",
      "The cookies of all previews below this domain are deleted",
    );
    await page.goto(deep);
    assert.ok(!await isLockedOut());
  },
};

/** Has the page set nine cookies of 4 KB for all previews. */
async function plant(
  page: Page,
  { path, name = "" }: { readonly path: string; readonly name?: string },
): Promise<void> {
  const names = Array.from({ length: 9 }, (_, i) => `planted-${i}`);
  // One of a name for each path: the login's own is at the root.
  const lines = name === ""
    ? names.map((planted) => `${planted}=@; path=${path}`)
    : ["/deep", "/deep/page"].map((below) => `${name}=@; path=${below}`)
      .concat(names.slice(2).map((planted) => `${planted}=@; path=/`));
  // Reading the cookies waits for the writes.
  await page.evaluate(`(() => {
    for (const line of ${JSON.stringify(lines)}) {
      document.cookie =
        line.replace("@", "x".repeat(4000)) + "; domain=proxy.localhost";
    }
    return document.cookie;
  })()`);
}
