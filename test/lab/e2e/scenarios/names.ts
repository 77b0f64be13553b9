/** Names of ports of sandboxes, as origins of apps that people log in to. */
import assert from "node:assert/strict";
import { startOpenidProvider } from "../../../../scripts/stand_in/provider.ts";
import { APP_PORT } from "../../../../scripts/stand_in/stack.ts";
import { type TextFile, textFile } from "../../../support/text_file.ts";
import type { Page } from "../browser/page.ts";
import { poll } from "../browser/poll.ts";
import { CALLBACK, startClientApp } from "../client_app.ts";
import { ORDINARY_DOMAIN, PUBLIC_SUFFIX } from "../domains.ts";
import type { Scenario } from "../scenario.ts";
import { type SecureGateway, startSecureGateway } from "../secure_gateway.ts";
import { SECRET, startVictimApp } from "./isolation_apps.ts";
import { logIn, openAtOnce } from "./isolation_login.ts";

/** Of another site than the previews, and of theirs. */
const DOMAIN = `shop.customer.${PUBLIC_SUFFIX}`;
const ALIAS = `shop.${ORDINARY_DOMAIN}`;

/** A gateway with these names. */
interface NamedGateway extends SecureGateway {
  readonly file: TextFile;
  /** The URL of a name. */
  named(name: string, target?: string): string;
  /** Has port 3000 of a sandbox lead to one of this machine. */
  serve(sandbox: string, localPort: number): void;
}

function namesOf(sandbox: string): string {
  const target = { sandbox, port: APP_PORT };
  return JSON.stringify({ [DOMAIN]: target, [ALIAS]: target });
}

/** Starts it, with two private sandboxes that alice has access to: `locked`, which the names lead to, and `second`. */
async function startNamedGateway(scope: string): Promise<NamedGateway> {
  await using started = new AsyncDisposableStack();
  const file = started.use(await textFile(namesOf("locked")));
  const secure = started.use(
    await startSecureGateway(ORDINARY_DOMAIN, {
      SESSION_SCOPE: scope,
      NAMES: "operator",
      NAMES_FILE: file.path,
    }),
  );
  const { api, runner } = secure.gateway.stack;
  api.state.sandboxes.set("second", { ...api.sandbox("locked"), id: "second" });
  api.state.subjects.get("alice")?.add("second");
  runner.containers.set("second", { started: true, ports: new Map() });
  const { port } = new URL(secure.at(""));
  const owned = started.move();
  return {
    ...secure,
    file,
    named: (name, target = "/") => `https://${name}:${port}${target}`,
    serve(sandbox, localPort) {
      runner.containers.get(sandbox)?.ports.set(APP_PORT, localPort);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a name is for: its origin is the app's for good, whichever sandbox that runs in. */
export const nameOfClient: Scenario = {
  name:
    "names: an app with one redirect URI logs its visitors in at its name, before and after that leads to another sandbox, and keeps what its origin has stored",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(await startNamedGateway("sandbox"));
    const url = world.named(DOMAIN);
    const provider = stack.use(
      await startOpenidProvider({
        clientId: "shop",
        users: ["carol"],
        // Browsers keep one set of cookies for all ports of a host.
        issuer: (url) => url.replace("127.0.0.1", "id.localhost"),
      }),
    );
    provider.redirectUris.add(world.named(DOMAIN, CALLBACK));
    for (const sandbox of ["locked", "second"]) {
      const app = stack.use(startClientApp(sandbox, provider));
      world.serve(sandbox, app.port);
    }
    const page = await stage.open();
    await logIn(page, url);
    await page.click("a", "Log in to locked");
    await page.click("button", "carol");
    await page.shows("p", "carol is in locked");
    assert.equal(await page.url(), url);
    await page.evaluate(`localStorage.setItem("cart", "full")`);

    await world.file.write(namesOf("second"));
    await reaches(page, url, "second");
    assert.equal(await page.url(), url);
    assert.equal(await page.evaluate(`localStorage.getItem("cart")`), "full");
    // The provider knows carol.
    await page.click("a", "Log in to second");
    await page.shows("p", "carol is in second");
    assert.equal(await page.url(), url);
  },
};

/** Reloads a page until it is of that sandbox: a file that has changed is read within 5 s. */
async function reaches(page: Page, url: string, text: string): Promise<void> {
  const isThere = await poll(async () => {
    await page.goto(url);
    return (await page.text()).includes(text);
  });
  assert.ok(isThere, await page.text());
}

function nameLogin(scope: "sandbox" | "host"): Scenario {
  return {
    name:
      `names: one login comes back to a custom domain, opens an alias without a form, and a logout closes both (SESSION_SCOPE=${scope})`,
    async run(stage) {
      await using stack = new AsyncDisposableStack();
      const world = stack.use(await startNamedGateway(scope));
      const app = stack.use(startVictimApp());
      world.serve("locked", app.port);
      const page = await stage.open();
      const { provider } = world.gateway.stack;
      const first = world.named(DOMAIN, "/a?b=(1)&c#part");
      const second = world.named(ALIAS, "/d?e");
      await logIn(page, first);
      assert.match(await page.text(), new RegExp(SECRET));
      for (const { name, secure, httpOnly } of await page.cookies(first)) {
        assert.ok(name.startsWith("__Host-porthole-") && secure && httpOnly);
      }
      const logins = () => provider.count("authorize");
      const preview = world.at("3000-locked", "/f");
      for (const url of [second, preview, first]) {
        await openAtOnce(page, url, { logins });
        assert.match(await page.text(), new RegExp(SECRET));
      }

      await page.goto(world.at("", "/logout"));
      await page.click("button", "Log out");
      await page.shows("h1", "You are logged out");
      // The provider would otherwise log in again without asking.
      await page.deleteCookies(provider.url);
      for (const url of [first, second]) {
        await page.goto(url);
        await page.shows("button", "alice");
      }
    },
  };
}

export const nameLoginForSandbox = nameLogin("sandbox");
export const nameLoginForHost = nameLogin("host");
