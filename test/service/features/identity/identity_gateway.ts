/** Gateways that tell apps of their visitors, and apps that know what their documents say: where the keys are, and who they are. */
import assert from "node:assert/strict";
import { createLocalJWKSet, type JWTPayload, jwtVerify } from "jose";
import { BASE, type TestGateway } from "../../../support/gateway.ts";
import type { Browser, Hop } from "../../../support/login.ts";
import { recordsFile } from "../../../support/records_file.ts";

/** Where the keys are on base hosts. */
export const KEYS_PATH = "/.well-known/jwks.json";

/** Starts one that has a place for records of its own, and whose sandbox `locked` asks for identities. */
export async function startIdentityGateway<G extends TestGateway>(
  start: (environment: Readonly<Record<string, string>>) => Promise<G>,
  environment: Readonly<Record<string, string>> = {},
): Promise<G> {
  await using started = new AsyncDisposableStack();
  const records = started.use(await recordsFile());
  const gateway = started.use(
    await start({ ...records.environment, IDENTITY: "on", ...environment }),
  );
  label(gateway, "locked");
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Labels a sandbox, before anybody has asked for it. */
export function label(
  { stack: { api } }: TestGateway,
  sandboxId: string,
  value = "on",
): void {
  const sandbox = api.state.sandboxes.get(sandboxId);
  assert(sandbox);
  sandbox.labels = { "porthole.identity": value };
}

/** What an app has to know of itself and of the gateway. */
interface AppFacts {
  readonly sandboxId?: string;
  readonly issuer?: string;
}

/** What a token says to an app, which has nothing but the published keys; rejects if it is not for that app. */
export async function told(
  gateway: Pick<TestGateway, "send">,
  token: string | undefined,
  { sandboxId = "locked", issuer = `http://${BASE}` }: AppFacts = {},
): Promise<JWTPayload> {
  assert(token !== undefined, "nobody");
  const keys = await gateway.send(BASE, { path: KEYS_PATH });
  assert.equal(keys.status, 200, keys.body);
  const { payload } = await jwtVerify(
    token,
    createLocalJWKSet(JSON.parse(keys.body)),
    {
      algorithms: ["ES256"],
      audience: sandboxId,
      issuer,
      requiredClaims: ["sub", "port", "via", "iat", "exp"],
    },
  );
  return payload;
}

/** The header in the answer of an app that echoes what it got; undefined if there is none. */
export function tokenIn({ body }: Pick<Hop, "body">): string | undefined {
  const { headers }: { headers: [string, string][] } = JSON.parse(body);
  const found = headers.filter(([name]) => /^x.porthole.identity$/i.test(name));
  assert(found.length <= 1, "more than one");
  return found[0]?.[1];
}

/** Opens an address, where alice logs in if she is asked to. */
export async function visit(browser: Browser, url: string): Promise<Hop> {
  const { page } = await browser.open(url);
  return page.body.includes('name="user" value="alice"')
    ? (await browser.logIn(page, "alice")).page
    : page;
}
