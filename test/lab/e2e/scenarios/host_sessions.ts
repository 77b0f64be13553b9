/** Logins for hosts (SESSION_SCOPE=host), with a base domain that is a public suffix. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import { ORDINARY_DOMAIN, PUBLIC_SUFFIX } from "../domains.ts";
import type { Scenario } from "../scenario.ts";
import { startSecureGateway } from "../secure_gateway.ts";
import { SECRET, startHostileApp, startVictimApp } from "./isolation_apps.ts";
import { logIn, openAtOnce, REFUSALS } from "./isolation_login.ts";

const FOR_HOSTS = { SESSION_SCOPE: "host" };

/** A person logs in once, and goes from port to port. */
export const hostLogin: Scenario = {
  name:
    "with logins for hosts, one login opens port after port without a form, and the logout closes them all",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { gateway, at: url } = stack.use(
      await startSecureGateway(
        stage.engine === "webkit" ? ORDINARY_DOMAIN : PUBLIC_SUFFIX,
        FOR_HOSTS,
      ),
    );
    const [one, other] = [1, 2].map(() => stack.use(startVictimApp()));
    const page = await stage.open();
    const first = url(`${one?.port}-locked`, "/a?b=(1)&c#part");
    const second = url(`${other?.port}-locked`, "/d?e");
    await logIn(page, first);
    assert.match(await page.text(), new RegExp(SECRET));
    assert.equal(await page.evaluate("document.cookie"), "");
    await receives(page);
    const cookies = [
      ...await page.cookies(first),
      ...await page.cookies(url("")),
    ];
    assert.ok(cookies.length >= 2);
    for (const { name, secure, httpOnly } of cookies) {
      assert.ok(name.startsWith("__Host-porthole-") && secure && httpOnly);
    }

    const { provider } = gateway.stack;
    const forms = provider.count("login");
    const pages = await page.evaluate<number>("history.length");
    await page.goto(second);
    assert.equal(await page.url(), second, "a clean address");
    assert.match(await page.text(), new RegExp(SECRET));
    assert.equal(await page.evaluate("history.length"), pages + 1);
    await receives(page);
    const logins = () => provider.count("authorize");
    for (const home of [first, second]) {
      await openAtOnce(page, home, { logins });
    }
    assert.equal(provider.count("login"), forms);

    await page.goto(url("", "/logout"));
    await page.click("button", "Log out");
    await page.shows("h1", "You are logged out");
    // The provider would otherwise log in again without asking.
    await page.deleteCookies(provider.url);
    for (const home of [first, second]) {
      await page.goto(home);
      await page.shows("button", "alice");
    }
  },
};

/** S4 and S5: what cookies of one site allow. */
export const hostIsolation: Scenario = {
  name:
    "on a public suffix, another sandbox's page plants no cookie, evicts no login, and frames no private preview (S4, S5)",
  except: {
    webkit:
      "WebKitGTK keeps no cookie of a host that is itself a public suffix",
  },
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { gateway, at: url } = stack.use(
      await startSecureGateway(PUBLIC_SUFFIX, FOR_HOSTS),
    );
    const logins = () => gateway.stack.provider.count("authorize");
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({
      expectedErrors: REFUSALS,
    });
    const locked = url(`${victim.port}-locked`);
    await logIn(page, locked);

    await page.goto(url(`${hostile.port}-demo`));
    await page.evaluate(`(() => {
      for (let i = 0; i < 9; i++) {
        document.cookie = "planted" + i + "=" + "x".repeat(4000) +
          "; domain=${PUBLIC_SUFFIX}; path=/";
      }
      for (let i = 0; i < 300; i++) document.cookie = "own" + i + "=1; path=/";
      return document.cookie;
    })()`);
    const names = (await page.cookies()).map(({ name }) => name);
    assert.deepEqual(names.filter((name) => name.startsWith("planted")), []);
    assert.ok(names.filter((name) => name.startsWith("own")).length > 100);
    await openAtOnce(page, locked, { logins });

    await page.goto(url(`${hostile.port}-demo`));
    const frame = await page.addFrame(locked);
    assert.doesNotMatch(await frame.text(), new RegExp(SECRET));
    const got = await page.evaluate(`
      fetch(${
      JSON.stringify(locked)
    }, { credentials: "include", mode: "no-cors" })
        .then(() => "sent", (error) => error.name)`);
    assert.equal(got, "sent");
    assert.doesNotMatch(hostile.received.join("\n"), new RegExp(SECRET));
    await openAtOnce(page, locked, { logins });
  },
};

/** Waits for a message over the page's own WebSocket. */
async function receives(page: Page): Promise<void> {
  const message = await page.evaluate(`new Promise((resolve, reject) => {
    const socket = new WebSocket("/socket");
    socket.onmessage = ({ data }) => (resolve(data), socket.close());
    socket.onerror = reject;
  })`);
  assert.equal(message, SECRET);
}
