/** What an app is told of its visitor, and who says that it may be. */
import assert from "node:assert/strict";
import { APP_PORT } from "../../../../scripts/stand_in/stack.ts";
import { recordsFile } from "../../../support/records_file.ts";
import { ORDINARY_DOMAIN } from "../domains.ts";
import type { Scenario } from "../scenario.ts";
import { startSecureGateway } from "../secure_gateway.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

const QUESTION = "This app asks who you are";

/** A page that says which e-mail address its server was told, if any. */
function shownTo(request: Request): Response {
  const token = request.headers.get("x-porthole-identity") ?? "..";
  const bytes = Uint8Array.fromBase64(token.split(".")[1] ?? "", {
    alphabet: "base64url",
  });
  const { email = "nobody" } = JSON.parse(
    new TextDecoder().decode(bytes) || "{}",
  );
  return new Response(
    `<!doctype html><link rel="icon" href="data:,"><p>told of ${email}</p>`,
    { headers: { "content-type": "text/html" } },
  );
}

/** What an app's page does that has found out the question's address: by `how`, in the visitor's place. */
function attempt(question: string, how: "form" | "frame" | "fetch"): string {
  const url = JSON.stringify(question);
  const ways = {
    form: `document.body.insertAdjacentHTML("beforeend",
      '<form method="post"><button name="tell" value="yes">go</button></form>');
      const form = document.forms[0];
      form.action = ${url};
      form.querySelector("button").click();`,
    frame: `const frame = document.createElement("iframe");
      const loaded = new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 3000); });
      frame.src = ${url};
      document.body.append(frame);
      await loaded;
      try { frame.contentDocument.querySelector("button").click(); return "pressed"; }
      catch { return "no way in"; }`,
    fetch: `const body = new URLSearchParams({ tell: "yes" });
      const options = { method: "POST", mode: "no-cors", credentials: "include", body };
      return await fetch(${url}, options).then(({ type }) => type, () => "failed");`,
  };
  return `(async () => { ${ways[how]} })()`;
}

/** The visitor's press has the app told; a script of the app's, which is below the same domain, has not. */
export const identity: Scenario = {
  name:
    "identity: an app is told a visitor's e-mail address once that visitor agrees on the gateway's own page, which no script of the app's can press or frame",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const records = stack.use(await recordsFile());
    const { gateway, at } = stack.use(
      await startSecureGateway(ORDINARY_DOMAIN, {
        IDENTITY: "on",
        IDENTITY_CLAIMS: "email",
        ...records.environment,
      }),
    );
    const { api, runner, provider } = gateway.stack;
    api.sandbox("locked").labels = { "porthole.identity": "on" };
    provider.claims.set("alice", { email_verified: true });
    const app = stack.use(serveOnLoopback(shownTo));
    runner.containers.get("locked")?.ports.set(APP_PORT, app.port);

    const wanted = at("3000-locked", "/a?b=(1)#part");
    const page = await stage.open({
      expectedErrors:
        /frame-ancestors|Content.Security.Policy|403|denied|refused/i,
    });
    await page.goto(wanted);
    await page.click("button", "alice");
    await page.shows("h1", QUESTION);
    await page.shows("li", "email: alice@example.test");
    assert.ok(await page.fits());
    await stage.screenshot(page, "identity");
    const question = await page.url();
    assert.ok(question.startsWith(at("", "/identity?ticket=")), question);

    // The worst case: the app has the ticket, which the browser never shows it.
    for (const how of ["fetch", "frame"] as const) {
      await page.goto(wanted);
      await page.shows("p", "told of nobody");
      const outcome = await page.evaluate(attempt(question, how));
      assert.notEqual(outcome, "pressed");
    }
    await page.evaluate(attempt(question, "form"));
    await page.shows("h1", "gateway's own page");
    await page.goto(wanted);
    await page.shows("p", "told of nobody");

    await page.goto(question);
    await page.click("button:enabled", "Continue"); // a second after it is shown
    await page.shows("p", "told of alice@example.test");
    assert.equal(await page.url(), wanted);
    const tab = await page.newTab();
    await tab.goto(wanted);
    await tab.shows("p", "told of alice@example.test");
  },
};
