/** Gateways that tell apps of their visitors, and apps that know what their documents say: where the keys are, and who they are. */
import assert from "node:assert/strict";
import { createLocalJWKSet, type JWTPayload, jwtVerify } from "jose";
import { BASE, type TestGateway } from "../../../support/gateway.ts";
import type { Browser, Hop } from "../../../support/login.ts";
import type { LoginGateway } from "../../../support/login_gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import type { StartLoginGateway } from "../../../support/worlds.ts";

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

/** The buttons of the page that asks. */
export const YES = ["tell", "yes"] as const;
export const NO = ["tell", "no"] as const;

/** What the provider says of alice. */
export const TOLD = {
  email: "alice@example.test",
  name: "Alice <b>",
  groups: ["staff", "R&D"],
};

/** Starts a gateway whose provider says that, all of which apps may be told. */
export async function startWithClaims(
  startIn: StartLoginGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<LoginGateway> {
  const gateway = await startIdentityGateway(startIn, {
    IDENTITY_CLAIMS: "email,name,groups",
    ...environment,
  });
  gateway.provider.claims.set("alice", { ...TOLD, email_verified: true });
  return gateway;
}

/** What the app of a page is told besides a pseudonym, as the page says. */
export function claimsIn(
  gateway: LoginGateway,
  page: Pick<Hop, "body">,
): Promise<Partial<JWTPayload>> {
  return claimsOf(gateway, tokenIn(page));
}

/** What a token tells besides a pseudonym. */
export async function claimsOf(
  gateway: LoginGateway,
  token: string | undefined,
): Promise<Partial<JWTPayload>> {
  const { iss, aud, port, sub, via, iat, exp, ...claims } = await told(
    gateway,
    token,
  );
  assert(iss && aud && port && iat && exp);
  assert.match(sub ?? "", /^[\w-]{43}$/);
  assert.equal(via, "login");
  return claims;
}

/** True for the page that asks. */
export function isNotice(
  gateway: LoginGateway,
  { url, status }: Hop,
): boolean {
  return status === 200 && url.startsWith(gateway.at("", "/identity?ticket="));
}

/** Logs in, and stops before the preview is opened. */
export async function logInOnly(
  browser: Browser,
  url: string,
): Promise<void> {
  let { page } = await browser.openAs("alice", url, { follow: false });
  for (;;) {
    const to = new URL(page.headers.get("location") ?? "", page.url);
    if (to.host === new URL(url).host) return;
    ({ page } = await browser.open(to.href, { follow: false }));
  }
}

/** The Cookie header of a browser for an address. */
export function cookieAt(browser: Browser, url: string): string {
  return browser.cookieAt(url);
}
