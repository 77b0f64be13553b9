/** What docs/features/trusted_issuers.md tells backends and CI jobs to do opens previews. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { parse } from "yaml";
import { listenOnLoopback } from "../../../../scripts/stand_in/loopback.ts";
import {
  type OpenidProvider,
  startOpenidProvider,
} from "../../../../scripts/stand_in/provider.ts";
import { examplesIn, readDocument } from "../../../support/documents.ts";
import { startGateway } from "../../../support/gateway.ts";
import { runExample } from "../../../support/run_example.ts";
import { createBrowser } from "../../../support/login.ts";
import { testsThatNeed } from "../../../support/needs_program.ts";
import { rulesOf } from "./rules_of.ts";

const GUIDE = await readDocument("docs/features/trusted_issuers.md");
const DOMAIN = "preview.example.com";
const AUDIENCE = `https://${DOMAIN}`;
const LOCKED = `3000-locked.${DOMAIN}`;
const JOB = "repo:acme/shop:ref:refs/heads/main";

const test = await testsThatNeed("bash");

/** The only example below a heading of the guide, in that language. */
function example(heading: string, language: string): string {
  const [only, ...rest] = examplesIn(GUIDE, heading, language);
  assert(only !== undefined && rest.length === 0, heading);
  return only;
}

/** The rule in the guide, with other keys or another issuer. */
function ruleOf(heading: string, differences: object): object {
  const [rule] = JSON.parse(example(heading, "json"));
  return { ...rule, ...differences };
}

/** A gateway with these rules, and a sandbox with the labels that they name. */
async function startTrusting(rule: object) {
  await using started = new AsyncDisposableStack();
  const file = started.use(await rulesOf(rule));
  const gateway = started.use(
    await startGateway({
      PROXY_DOMAIN: DOMAIN,
      TRUSTED_ISSUERS_FILE: file.path,
    }),
  );
  const sandbox = gateway.stack.api.state.sandboxes.get("locked");
  assert(sandbox);
  sandbox.labels = { product: "shop", team: "shop" };
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** An access token of a real provider for a user, as a client gets it by a login. */
async function tokenOf(
  provider: OpenidProvider,
  user: string,
): Promise<string> {
  const redirect_uri = "http://proxy.localhost/callback";
  provider.redirectUris.add(redirect_uri);
  const { clientId: client_id, audience } = provider;
  const query = new URLSearchParams({
    client_id,
    redirect_uri,
    response_type: "code",
    scope: "openid",
    audience,
    // RFC 7636, appendix B.
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    state: "state",
  });
  const browser = createBrowser({ port: Number(new URL(provider.url).port) });
  const { page } = await browser.openAs(user, `${provider.url}/auth?${query}`);
  const answer = await fetch(`${provider.url}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: new URL(page.url).searchParams.get("code") ?? "",
      redirect_uri,
      client_id,
      code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    }),
  });
  const { access_token } = await answer.json();
  assert(typeof access_token === "string");
  return access_token;
}

/** Imports the example of a product's backend. */
async function importBackend(): Promise<{
  jwks: object;
  previewLink(user: string, sandbox: string, port: number): Promise<string>;
}> {
  await Deno.mkdir("data/test", { recursive: true });
  const path = `data/test/backend-${crypto.randomUUID()}.mjs`;
  await Deno.writeTextFile(path, example("A product's backend", "js"));
  try {
    return await import(`${Deno.cwd()}/${path}`);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a product's backend mints links of which each opens a preview once, at one address", async () => {
  const { jwks, previewLink } = await importBackend();
  const rule = ruleOf("A product's backend", { jwks });
  await using gateway = await startTrusting(rule);
  const browser = createBrowser({ port: gateway.port });
  for (const user of ["one", "two"]) {
    const link = await previewLink(user, "locked", 3000);
    const url = link.replace("https:", "http:");
    assert.equal(new URL(url).host, LOCKED);
    const { page } = await browser.open(url);
    assert.deepEqual([page.status, page.url], [200, `http://${LOCKED}/`]);
    const stranger = createBrowser({ port: gateway.port });
    assert.equal((await stranger.open(url)).page.status, 401);
  }
  const { page } = await browser.open(`http://${LOCKED}/echo`);
  assert.equal(page.status, 200);
});

test("a GitHub Actions job opens a preview with the identity that it is given, and a job of another branch does not", async () => {
  await using provider = await startOpenidProvider({
    audience: AUDIENCE,
    users: [JOB, `${JOB}-evil`],
  });
  const { issuer, url } = provider;
  const heading = "A GitHub Actions job";
  await using gateway = await startTrusting(
    ruleOf(heading, { issuer, jwks: `${url}/jwks` }),
  );
  const { jobs } = parse(example(heading, "yaml"));
  const { permissions, env, steps } = jobs.preview;
  assert.deepEqual(permissions, { "id-token": "write" });
  const [{ run }] = steps;

  for (const [job, opens] of [[JOB, true], [`${JOB}-evil`, false]] as const) {
    const value = await tokenOf(provider, job);
    await using github = await listenOnLoopback(
      createServer((request, response) => {
        const { searchParams } = new URL(request.url ?? "", "http://github");
        const isAsked = searchParams.get("audience") === AUDIENCE &&
          request.headers.authorization === "Bearer request-token";
        response.end(
          JSON.stringify({ count: 1, value: isAsked ? value : "" }),
        );
      }),
    );
    const out = runExample(run, gateway, {
      ...env,
      SANDBOX: "locked",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
    });
    if (opens) assert.match(await out, /<title>/);
    else await assert.rejects(out, /grant_invalid/);
  }
});
