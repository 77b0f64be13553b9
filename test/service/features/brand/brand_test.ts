/** The operator's brand on pages, on the complete service. */
import assert from "node:assert/strict";
import { startOpenidProvider } from "../../../../scripts/stand_in/provider.ts";
import { type Stack, startStack } from "../../../../scripts/stand_in/stack.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  startGatewayOf,
} from "../../../support/gateway.ts";
import { untilReady } from "../../../support/ready.ts";
import { textFile } from "../../../support/text_file.ts";

/** A browser that shows the response in a window. */
const PAGE = { "sec-fetch-mode": "navigate", accept: "text/html" };

const EVIL = `"><script>alert(1)</script><img src=x>`;

/** A logo that would do something, if it were part of the page. */
const LOGO =
  `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script><image href="https://x.test/"/></svg>`;

const BRAND = {
  name: `Acme ${EVIL}`,
  logo: LOGO,
  colors: { light: "#c2410c", dark: "#fb923c" },
  help: `https://help.example.com/?${EVIL}`,
  texts: {
    route_not_found: { de: { title: `Nichts ${EVIL}`, hint: EVIL } },
    port_closed: { de: { title: "Noch nichts" } },
  },
};

/** Has nothing listen on port 8000 of the public sandbox. */
function closePort({ runner }: Stack): void {
  runner.containers.get("demo")?.ports.set(8000, 1);
}

/** A gateway with a brand. */
async function startBranded(brand: object = BRAND) {
  await using started = new AsyncDisposableStack();
  const file = started.use(await textFile(JSON.stringify(brand)));
  const stack = started.use(await startStack());
  const sso = started.use(await startOpenidProvider());
  const { issuer, clientId } = sso;
  stack.api.state.config.ssoOidc = { issuer, clientId };
  const environment = { BRAND_FILE: file.path };
  const gateway = started.use(await startGatewayOf(stack, environment));
  await untilReady(gateway.port);
  closePort(stack);
  const owned = started.move();
  return {
    ...gateway,
    file,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Pages of the core, of every way out of the gateway. */
const PAGES = {
  "a preview's error": [`8000-demo.${BASE}`, "/", 502],
  "a refusal before any lookup": [`03000-demo.${BASE}`, "/", 400],
  "a refusal of a private one": [`2280-locked.${BASE}`, "/", 401],
  "no such page": [BASE, "/nothing", 404],
  "the choice of a login": [
    BASE,
    `/login?return_to=http%3A%2F%2F${LOCKED}%2F`,
    200,
  ],
  "the logout": [BASE, "/logout", 200],
  "the documentation": [BASE, "/docs", 200],
  "the developers' documentation": [BASE, "/docs/apps", 200],
} as const;

Deno.test("every page has the brand, as text and an image, and its policy lets nothing else in", async () => {
  await using gateway = await startBranded();
  await using plain = await startGateway();
  await untilReady(plain.port);
  closePort(plain.stack);
  for (const [name, [host, path, status]] of Object.entries(PAGES)) {
    const headers = { ...PAGE, "accept-language": "de" };
    const answer = await gateway.send(host, { path, headers });
    const { body } = answer;
    assert.equal(answer.status, status, name);
    assert.equal(body.split("Acme &quot;&gt;&lt;script&gt;").length, 2, name);
    assert(body.includes(`<img src="data:image/svg+xml;base64,${btoa(LOGO)}"`));
    assert(body.includes('<a href="https://help.example.com/?%22%3E'), name);
    assert(body.includes("--accent: #c2410c"), name);
    assert.doesNotMatch(body, /<script>alert|<img src=x|onload=/, name);

    const policy = answer.headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; .*img-src data:; /, name);
    const unbranded = await plain.send(host, { path, headers });
    if (path.startsWith("/login")) continue; // there is one provider only
    const expected = unbranded.headers.get("content-security-policy");
    assert.equal(policy, expected, name);
    assert.doesNotMatch(unbranded.body, /Acme|class="note help"/, name);
  }
});

Deno.test("a visitor reads an error in the language that the browser asks for, a program in ours", async () => {
  await using gateway = await startBranded();
  async function titleOf(headers: Record<string, string>) {
    const path = "/nothing";
    const answer = await gateway.send(BASE, { path, headers });
    const [, title] = /<h1[^>]*>(.*?)<\/h1>/.exec(answer.body) ?? [];
    return { ...answer, title };
  }
  const german = await titleOf({ ...PAGE, "accept-language": "de-CH, fr" });
  assert.match(german.title ?? "", /^Nichts &quot;&gt;&lt;script&gt;/);
  assert.match(german.body, /<h1 lang="de">/);
  const french = await titleOf({ ...PAGE, "accept-language": "fr" });
  assert.equal(french.title, "Page not found");
  for (const { headers } of [german, french]) {
    assert.match(headers.get("vary") ?? "", /\bAccept-Language\b/);
  }
  const program = await titleOf({ "accept-language": "de" });
  assert.equal(program.json().title, "Page not found");
  assert.doesNotMatch(program.headers.get("vary") ?? "", /Accept-Language/);

  const preview = await gateway.send(`8000-demo.${BASE}`, {
    headers: { ...PAGE, "accept-language": "de" },
  });
  assert.match(preview.body, /<h1 lang="de">Noch nichts<\/h1>/);
  assert.match(preview.headers.get("vary") ?? "", /\bAccept-Language\b/);
  const docs = await gateway.send(BASE, { path: "/docs", headers: PAGE });
  assert.doesNotMatch(docs.headers.get("vary") ?? "", /Accept-Language/);
});

Deno.test("what an app answers is not dressed", async () => {
  await using gateway = await startBranded();
  const html =
    "<html><head></head>\n<body>\n<main>\nx\n</main>\n</body></html>";
  const host = await gateway.serve((_, response) => {
    response.writeHead(404, { "content-type": "text/html" }).end(html);
  });
  const answer = await gateway.send(host, { headers: PAGE });
  assert.equal(answer.body, html);
  const demo = await gateway.send(DEMO, { headers: PAGE });
  assert.doesNotMatch(demo.body, /Acme/);
});

Deno.test("a page has a changed brand within 5 s", async () => {
  using clock = fakeClock();
  await using gateway = await startBranded({ name: "Acme" });
  const path = "/docs";
  assert.match((await gateway.send(BASE, { path })).body, />Acme</);
  await gateway.file.write("name: Other");
  clock.pass(5000);
  assert.match((await gateway.send(BASE, { path })).body, />Other</);
});
