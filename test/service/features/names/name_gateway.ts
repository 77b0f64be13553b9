/** A gateway whose members may give names, in front of two organizations, with a DNS of its own. */
import { KEYS, RUNNER_ID } from "../../../../scripts/stand_in/stack.ts";
import {
  type Answer,
  BASE,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import { askerOf, startRecordsGateway } from "../../../support/records_api.ts";
import { TestDns, type Verification } from "../../../support/test_dns.ts";
import type { StartGateway } from "../../../support/worlds.ts";

/** What every gateway of these tests is set to. */
export const MEMBERS = { NAMES: "members" };

/** An alias, and a domain of somebody's own. */
export const SHOP = `shop.${BASE}`;
export const OWN = "www.shop.test";

/** The key of a member of another organization, whose sandbox is `theirs`. */
export const THEIR_KEY = "their-key";

/** Sends what a member asks of `/api/v1/names`. */
export const askApi = askerOf("names");

/** A running gateway under test. */
export interface NameGateway extends TestGateway {
  readonly dns: TestDns;
}

/** Starts one with a place for names of its own. */
export async function startNameGateway(
  start: StartGateway = startGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<NameGateway> {
  const dns = new TestDns();
  const settings = { ...MEMBERS, ...environment };
  const { resolve: resolveDns } = dns;
  const gateway = await startRecordsGateway(start, settings, { resolveDns });
  const { api, runner: { containers } } = gateway.stack;
  const { sandboxes, users, apiKeys } = api.state;
  const container = containers.get("demo");
  if (container !== undefined) containers.set("theirs", container);
  sandboxes.set("theirs", {
    id: "theirs",
    public: true,
    authToken: "theirs-token",
    runnerId: RUNNER_ID,
    state: "started",
    organizationId: "another",
  });
  users.set(THEIR_KEY, new Set(["theirs"]));
  apiKeys.set(THEIR_KEY, { organizationId: "another" });
  return { ...gateway, dns };
}

/** What a member sends about one name. */
interface SentName {
  readonly key?: string;
  readonly sandbox?: string;
  readonly port?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Has a member give port 3000 of `demo` that name. */
export function putName(
  gateway: Pick<TestGateway, "send">,
  host: string,
  { key = KEYS.user, sandbox = "demo", port = 3000, headers = {} }: SentName =
    {},
): Promise<Answer> {
  const body = { sandbox, port };
  const path = `/${host}`;
  return askApi(gateway, key, { method: "PUT", path, headers, body });
}

/** Has that of another organization give its sandbox that name. */
export function putTheirs(
  gateway: Pick<TestGateway, "send">,
  host: string,
): Promise<Answer> {
  return putName(gateway, host, { key: THEIR_KEY, sandbox: "theirs" });
}

/** Reads a name. */
export function readName(
  gateway: Pick<TestGateway, "send">,
  host: string,
  key: string = KEYS.user,
): Promise<Answer> {
  return askApi(gateway, key, { path: `/${host}` });
}

/** Gives it up. */
export function endName(
  gateway: Pick<TestGateway, "send">,
  host: string,
  { key = KEYS.user, headers = {} }: SentName = {},
): Promise<Answer> {
  return askApi(gateway, key, { method: "DELETE", path: `/${host}`, headers });
}

/** Has the DNS asked about it. */
export function verifyName(
  gateway: Pick<TestGateway, "send">,
  host: string,
  key: string = KEYS.user,
): Promise<Answer> {
  const path = `/${host}/verify`;
  return askApi(gateway, key, { method: "POST", path, body: {} });
}

/** What the DNS must say, by the answer that tells of a domain. */
export function verificationOf({ body }: Answer): Verification {
  return JSON.parse(body).verification;
}
