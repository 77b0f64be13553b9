/** What docs/features/embeds.md tells products to do shows previews in their pages. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { examplesIn, readDocument } from "../../../support/documents.ts";
import {
  type Answer,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import { testsThatNeed } from "../../../support/needs_program.ts";
import { recordsFile } from "../../../support/records_file.ts";
import { TestPage } from "../../../support/test_page.ts";

const GUIDE = await readDocument("docs/features/embeds.md");
const DOMAIN = "preview.example.com";
const LOCKED = `3000-locked.${DOMAIN}`;
const PRODUCT = "https://app.example.com";
const CLIENT = new URL(
  "../../../../src/features/embeds/client/embed.js",
  import.meta.url,
).href;

const [BACKEND = "", PAGE = ""] = examplesIn(GUIDE, "The shortest way", "js");
const [TICKET = ""] = examplesIn(GUIDE, "By record or by ticket", "js");
const [CURL = ""] = examplesIn(GUIDE, "What your page hears", "sh");

/** Runs an example with these names in scope, and resolves to what it defines under those. */
async function run<Name extends string>(
  example: string,
  scope: Readonly<Record<string, unknown>>,
  ...names: Name[]
  // deno-lint-ignore no-explicit-any
): Promise<Record<Name, any>> {
  const script = example.replaceAll(/^export /gm, "")
    .replaceAll(/^import .*$/gm, "");
  const start = new Function(
    ...Object.keys(scope),
    `return (async () => { ${script}; return { ${names} }; })();`,
  );
  return await start(...Object.values(scope));
}

async function startEmbedding(environment: Record<string, string> = {}) {
  await using started = new AsyncDisposableStack();
  const { environment: places } = started.use(await recordsFile());
  const gateway = started.use(
    await startGateway({
      PROXY_DOMAIN: DOMAIN,
      EMBEDS: "members",
      ...places,
      ...environment,
    }),
  );
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The backend's functions, whose requests reach the gateway. */
async function backendOf({ send }: TestGateway) {
  async function fetch(
    url: string,
    { method, headers, body }: {
      method: string;
      headers: Record<string, string>;
      body: string;
    },
  ): Promise<Response> {
    const { origin, pathname } = new URL(url);
    assert.equal(origin, `https://${DOMAIN}`);
    const answer = await send(DOMAIN, {
      path: pathname,
      method,
      headers,
      body,
    });
    return new Response(answer.body, { status: answer.status });
  }
  const process = { env: { DAYTONA_API_KEY: KEYS.user } };
  return await run(BACKEND, { fetch, process }, "embed", "renew");
}

/** What the page at a `url` of an embed does in a frame of that page. */
function exchange(
  { send }: TestGateway,
  url: string,
  ancestor = PRODUCT,
): Promise<Answer> {
  const { host, pathname, hash } = new URL(url);
  assert.equal(host, LOCKED);
  const [code = ""] = hash.slice(1).split("&");
  return send(host, {
    method: "POST",
    path: pathname,
    headers: {
      "x-porthole-embed": code,
      "x-porthole-ancestor": ancestor,
      "origin": `http://${host}`,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
    },
  });
}

/** Has the session of an exchange open the app in the frame. */
async function opensApp(
  { send }: TestGateway,
  exchanged: Answer,
): Promise<boolean> {
  const [cookie = ""] = exchanged.headers.get("set-cookie")?.split(";") ?? [];
  const { status } = await send(LOCKED, {
    headers: {
      cookie,
      "referer": `${PRODUCT}/`,
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "iframe",
    },
  });
  return status === 200;
}

Deno.test("a product's backend makes an embed that opens the app in its page once, and renews it", async () => {
  await using gateway = await startEmbedding();
  const { embed, renew } = await backendOf(gateway);
  const { id, url } = await embed("locked", 3000);
  const stranger = await exchange(gateway, url, "https://evil.example.com");
  assert.equal(stranger.code, "frame_refused");
  const renewed = await renew(id);
  const exchanged = await exchange(gateway, renewed.url);
  assert.equal(exchanged.status, 200);
  assert(await opensApp(gateway, exchanged));
  const again = await exchange(gateway, renewed.url);
  assert.equal(again.code, "grant_invalid");
});

Deno.test("a product's page mounts the embed, shows its state and renews it", async () => {
  await using gateway = await startEmbedding();
  const backend = await backendOf(gateway);
  const page = new TestPage();
  const shown = { textContent: "" };
  const intervals: (() => Promise<void>)[] = [];
  async function fetch(path: string): Promise<Response> {
    const [, , id] = path.split("/");
    const answer = id === undefined
      ? backend.embed("locked", 3000)
      : backend.renew(id);
    return Response.json(await answer);
  }
  const { mount } = await import(CLIENT);
  const document = {
    querySelector: (selector: string) =>
      selector === "#preview" ? page.element : shown,
  };
  const scope = {
    mount,
    document,
    fetch,
    setInterval: (renewal: () => Promise<void>) => intervals.push(renewal),
  };
  const { preview, embed } = await run(PAGE, scope, "preview", "embed");
  const origin = new URL(embed.url).origin;
  assert.deepEqual(preview.iframe.visited, [embed.url]);
  assert.equal((await exchange(gateway, embed.url)).status, 200);
  const says = (source: unknown, message: object) =>
    page.receive({
      source,
      origin,
      data: { source: "porthole", v: 1, ...message },
    });
  says(preview.iframe.contentWindow, {
    type: "state",
    state: "waiting",
    code: "port_closed",
  });
  await turn();
  assert.equal(shown.textContent, "waiting");

  const [states] = page.requests;
  assert.equal(states?.url, embed.stateUrl);
  const { pathname } = new URL(embed.stateUrl);
  const { authorization = "" } = states?.headers ?? {};
  const headers = { authorization, origin: PRODUCT };
  const state = await gateway.send(LOCKED, { path: pathname, headers });
  assert.equal(state.json().state, "ready");
  assert.equal(state.headers.get("access-control-allow-origin"), PRODUCT);
  const events = await page.answer();
  await events.write(`data: ${state.body}\n\n`);
  assert.equal(shown.textContent, "ready");

  const [renew = assert.fail()] = intervals;
  const renewal = renew();
  while (page.frames.size < 2) await turn();
  const [
    ,
    { visited: [renewed = ""], contentWindow: source } = assert.fail(),
  ] = page.frames;
  assert.equal((await exchange(gateway, renewed)).status, 200);
  says(source, { type: "renewed" });
  await renewal;
  preview.unmount();
  assert.equal(page.frames.size, 0);
});

Deno.test("a ticket that a product's backend signs opens the app in its page, once and nowhere else", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const kid = "one";
  const jwks = { keys: [{ ...await exportJWK(publicKey), kid }] };
  const guide = await readDocument("docs/features/trusted_issuers.md");
  const [rule = ""] = examplesIn(guide, "A product's backend", "json");
  await Deno.mkdir("data/test", { recursive: true });
  const file = await Deno.makeTempFile({ dir: "data/test" });
  await using started = new AsyncDisposableStack();
  started.defer(() => Deno.remove(file));
  const rules = [{ ...JSON.parse(rule)[0], jwks }];
  await Deno.writeTextFile(file, JSON.stringify(rules));
  const gateway = started.use(
    await startEmbedding({ TRUSTED_ISSUERS_FILE: file }),
  );
  const sandbox = gateway.stack.api.state.sandboxes.get("locked");
  assert(sandbox);
  sandbox.labels = { product: "shop" };

  const { embedUrl } = await run(TICKET, { SignJWT }, "embedUrl");
  const make = () => embedUrl("ann", "locked", 3000, { privateKey, kid });
  const url = await make();
  assert.equal(new URL(url).origin, `https://${LOCKED}`);
  assert.match(url, /&path=%2F$/);
  const exchanged = await exchange(gateway, url);
  assert.equal(exchanged.status, 200);
  assert(await opensApp(gateway, exchanged));
  assert.equal((await exchange(gateway, url)).code, "grant_invalid");
  const other = await exchange(
    gateway,
    await make(),
    "https://evil.example.com",
  );
  assert.equal(other.code, "frame_refused");
});

const testWithBash = await testsThatNeed("bash");

testWithBash("curl reads the state of an embed", async () => {
  await using gateway = await startEmbedding();
  const { embed } = await backendOf(gateway);
  const { stateUrl, stateToken } = await embed("locked", 3000);
  const { code, stdout } = await new Deno.Command("bash", {
    args: ["-c", CURL.replace("curl ", 'curl --noproxy "*" $WAY ')],
    env: {
      STATE_URL: stateUrl,
      STATE_TOKEN: stateToken,
      WAY: `--connect-to ${LOCKED}:80:127.0.0.1:${gateway.port}`,
    },
  }).output();
  assert.equal(code, 0);
  assert.equal(JSON.parse(new TextDecoder().decode(stdout)).state, "ready");
});
