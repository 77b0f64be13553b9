/** Logins for hosts (SESSION_SCOPE=host), with a base domain that is a public suffix. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { LOCALHOST } from "../../support/certificates.ts";
import { startLoginGateway } from "../../support/login_gateway.ts";
import { PUBLIC_SUFFIX } from "../chromium.ts";
import type { Scenario } from "../scenario.ts";
import {
  SECRET,
  serveOnLoopback,
  startHostileApp,
  startVictimApp,
} from "./isolation_apps.ts";
import { logIn, openAtOnce, REFUSALS } from "./isolation_login.ts";

/** A gateway with that base domain, over https, and its URLs. */
async function startHostGateway() {
  await using started = new AsyncDisposableStack();
  const gateway = started.use(
    await startLoginGateway({
      PROXY_DOMAIN: PUBLIC_SUFFIX,
      PROXY_PROTOCOL: "https",
      SESSION_SCOPE: "host",
    }),
  );
  const { cert, key } = LOCALHOST;
  const { port } = started.use(
    serveOnLoopback(gateway.service.fetch, { cert, key }),
  );
  function url(host: string, target = "/"): string {
    return `https://${host}${PUBLIC_SUFFIX}:${port}${target}`;
  }
  gateway.stack.provider.redirectUris.add(url("", "/callback"));
  const owned = started.move();
  return { gateway, url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A person logs in once, and goes from port to port. */
export const hostLogin: Scenario = {
  name:
    "with logins for hosts, one login opens port after port without a form, and the logout closes them all",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { gateway, url } = stack.use(await startHostGateway());
    const [one, other] = [1, 2].map(() => stack.use(startVictimApp()));
    const page = await stage.open({ ignoreHTTPSErrors: true });
    const first = url(`${one?.port}-locked.`, "/a?b=(1)&c#part");
    const second = url(`${other?.port}-locked.`, "/d?e");
    await logIn(page, first);
    assert.match(await page.innerText("body"), new RegExp(SECRET));
    assert.equal(await page.evaluate("document.cookie"), "");
    await receives(page);
    const cookies = await page.context().cookies([first, url("")]);
    assert.ok(cookies.length >= 2);
    for (const { name, secure, httpOnly } of cookies) {
      assert.ok(name.startsWith("__Host-porthole-") && secure && httpOnly);
    }

    const forms = gateway.stack.provider.count("login");
    await page.goto(second);
    assert.equal(page.url(), second, "a clean address");
    assert.match(await page.innerText("body"), new RegExp(SECRET));
    assert.equal(await page.evaluate("history.length"), 3 + 1);
    await receives(page);
    for (const home of [first, second]) await openAtOnce(page, home);
    assert.equal(gateway.stack.provider.count("login"), forms);

    await page.goto(url("", "/logout"));
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "You are logged out" }).waitFor();
    // The provider would otherwise log in again without asking.
    const { hostname } = new URL(gateway.stack.provider.url);
    await page.context().clearCookies({ domain: hostname });
    for (const home of [first, second]) {
      await page.goto(home);
      await page.getByRole("button", { name: "alice" }).waitFor();
    }
  },
};

/** S4 and S5: what cookies of one site allow. */
export const hostIsolation: Scenario = {
  name:
    "on a public suffix, another sandbox's page plants no cookie, evicts no login, and frames no private preview (S4, S5)",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { url } = stack.use(await startHostGateway());
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({
      expectedErrors: REFUSALS,
      ignoreHTTPSErrors: true,
    });
    const locked = url(`${victim.port}-locked.`);
    await logIn(page, locked);

    await page.goto(url(`${hostile.port}-demo.`));
    await page.evaluate(`{
      for (let i = 0; i < 9; i++) {
        document.cookie = "planted" + i + "=" + "x".repeat(4000) +
          "; domain=${PUBLIC_SUFFIX}; path=/";
      }
      for (let i = 0; i < 300; i++) document.cookie = "own" + i + "=1; path=/";
      document.cookie;
    }`);
    const names = (await page.context().cookies()).map(({ name }) => name);
    assert.deepEqual(names.filter((name) => name.startsWith("planted")), []);
    assert.ok(names.filter((name) => name.startsWith("own")).length > 100);
    await openAtOnce(page, locked);

    await page.goto(url(`${hostile.port}-demo.`));
    await page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.name = "victim";
      frame.src = ${JSON.stringify(locked)};
      frame.onload = resolve;
      document.body.append(frame);
    }).then(() => "loaded")`);
    const framed = page.frame("victim");
    assert.ok(framed !== null);
    assert.doesNotMatch(await framed.content(), new RegExp(SECRET));
    const got = await page.evaluate(`
      fetch(${
      JSON.stringify(locked)
    }, { credentials: "include", mode: "no-cors" })
        .then(() => "sent", (error) => error.name)`);
    assert.equal(got, "sent");
    assert.doesNotMatch(hostile.received.join("\n"), new RegExp(SECRET));
    await openAtOnce(page, locked);
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
