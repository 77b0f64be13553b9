/** What docs/features/machine_tokens.md tells programs to do opens previews. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { examplesIn, readDocument } from "../../../support/documents.ts";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { createBrowser } from "../../../support/login.ts";
import { testsThatNeed } from "../../../support/needs_program.ts";
import { runExample } from "../../../support/run_example.ts";
import { makeToken, startTokenGateway } from "./token_gateway.ts";

const PAGE = await readDocument("docs/features/machine_tokens.md");
const DOMAIN = "preview.example.com";
const LOCKED = `3000-locked.${DOMAIN}`;

const test = await testsThatNeed("bash");

/** The only example below a heading of the page, in that language. */
function example(heading: string, language: string): string {
  const [only, ...rest] = examplesIn(PAGE, heading, language);
  assert(only !== undefined && rest.length === 0, heading);
  return only;
}

/** A gateway with that base domain, and a token for the preview that the examples open. */
async function startWithToken() {
  const gateway = await startTokenGateway(startGateway, {
    PROXY_DOMAIN: DOMAIN,
  });
  const send: TestGateway["send"] = (_, asked) => gateway.send(DOMAIN, asked);
  const { token } = await makeToken({ send }, KEYS.user);
  return { ...gateway, token };
}

Deno.test("Playwright's navigation opens a preview, and what comes after has no token in it", async () => {
  await using gateway = await startWithToken();
  const browser = createBrowser({ port: gateway.port });
  const pages: string[] = [];
  const page = {
    async goto(url: string) {
      const visit = await browser.open(url.replace("https:", "http:"));
      assert.equal(visit.page.status, 200);
      pages.push(visit.page.url);
    },
  };
  const run = new Function(
    "page",
    "sandbox",
    "token",
    `return (async () => { ${example("Playwright", "js")} })();`,
  );
  await run(page, "locked", gateway.token);
  assert.deepEqual(pages, [`http://${LOCKED}/`]);
});

test("curl opens a preview by both headers, and a webhook's POST by its address", async () => {
  await using gateway = await startWithToken();
  const env = { SANDBOX: "locked", TOKEN: gateway.token };
  const pages = await runExample(example("curl", "sh"), gateway, env);
  assert.equal(pages.match(/<title>/g)?.length, 2);
  const hook = example("Webhooks", "sh").replace("/hooks/payments", "/echo");
  const echo = JSON.parse(await runExample(hook, gateway, env));
  assert.equal(echo.method, "POST");
  assert(!JSON.stringify(echo).includes("porthole_token"));
});
