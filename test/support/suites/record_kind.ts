/** What is promised of every kind of records at `/api/v1`, tested on complete services. */
import assert from "node:assert/strict";
import { HOSTED_KEYS } from "../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import { BASE, startGateway, type TestGateway } from "../gateway.ts";
import type { LoginGateway } from "../login_gateway.ts";
import { NAMED_WORLDS } from "../named_worlds.ts";
import { askerOf, startRecordsGateway } from "../records_api.ts";
import { recordsFile } from "../records_file.ts";
import { SESSION_SCOPES } from "../session_scopes.ts";
import {
  type StartGateway,
  testLoginsInBothWorlds as testLogins,
} from "../worlds.ts";

type Texts = Readonly<Record<string, string>>;

/** A kind of records. */
interface RecordKind {
  /** What it is called in paths: `shares`. */
  readonly name: string;
  /** The settings by which members make it. */
  readonly settings: Texts;
  /** What a member sends to have one for the sandbox `locked`. */
  readonly wish: object;
  /** By which method, and at which path, if not by POST at the kind's own; that path is the record's then. */
  readonly putAt?: string;
  /** What follows the path of a record where more is done with it, by a POST of `{}`. */
  readonly verbs?: readonly string[];
  /** Credentials that open nothing here, besides those of all kinds, and the status that they get. */
  readonly strangers?: readonly (readonly [Texts, number])[];
  /** Looks at a gateway where it is off. */
  whenOff?(gateway: TestGateway): Promise<void>;
  /** Starts a gateway with a place for records, and with these settings. */
  start?(start: StartGateway, settings: Texts): Promise<TestGateway>;
}

/** A request about records. */
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly body?: string | undefined;
}

/** All that can be asked about a record, which ends it at last. */
function operationsOn(kind: RecordKind, id: string): readonly Operation[] {
  const { wish, putAt, verbs = [] } = kind;
  return [
    {
      method: putAt === undefined ? "POST" : "PUT",
      path: putAt ?? "",
      body: JSON.stringify(wish),
    },
    { method: "GET", path: "?sandbox=locked" },
    { method: "GET", path: `/${id}` },
    ...verbs.map((verb) => (
      { method: "POST", path: `/${id}/${verb}`, body: "{}" }
    )),
    { method: "DELETE", path: `/${id}` },
  ].map((operation) => (
    { ...operation, path: `/api/v1/${kind.name}${operation.path}` }
  ));
}

/** Sends one. */
function ask(
  { send }: Pick<TestGateway, "send">,
  operation: Operation,
  headers: Texts,
  host = BASE,
) {
  const type = { "content-type": "application/json" };
  return send(host, { ...operation, headers: { ...type, ...headers } });
}

/** Has a record made; resolves to its id. */
async function make(
  kind: RecordKind,
  gateway: Pick<TestGateway, "send">,
  headers: Texts,
  host?: string,
): Promise<string> {
  const [making = assert.fail()] = operationsOn(kind, "");
  const made = await ask(gateway, making, headers, host);
  assert.equal(made.status, 201, made.body);
  const { id, host: name, createdBy } = made.json();
  assert.equal(typeof createdBy, "string");
  return String(id ?? name);
}

/** Who is no member of the organization of `locked`, and what they are told. */
const STRANGERS: readonly (readonly [Texts, number])[] = [
  [{}, 401],
  [{ "x-daytona-preview-token": KEYS.lockedToken }, 401],
  [{ authorization: `Bearer ${KEYS.lockedToken}` }, 404],
  [{ authorization: `Bearer ${KEYS.service}` }, 404],
  [{ authorization: `Bearer ${KEYS.sshGateway}` }, 404],
  [{ authorization: `Bearer ${HOSTED_KEYS.foreigner}` }, 404],
  [{ authorization: "Bearer nobody" }, 404],
];

/** The cookie of alice, who has logged in for a preview. */
async function logIn(gateway: LoginGateway): Promise<string> {
  const browser = gateway.browser();
  assert.equal(
    (await browser.openAs("alice", gateway.at("3000-locked", "/echo"))).page
      .status,
    200,
  );
  return browser.cookieAt(gateway.at(""));
}

/** Declares the tests of a kind of records. */
export function testRecordKind(kind: RecordKind): void {
  const { name, settings, strangers = [], start = startRecordsGateway } = kind;
  const askApi = askerOf(name);

  for (const { suffix, startGateway, memberKey } of NAMED_WORLDS) {
    Deno.test(`members only make, see and end ${name}, and to everybody else there are none${suffix}`, async () => {
      await using gateway = await start(startGateway, settings);
      const authorization = `Bearer ${memberKey}`;
      const id = await make(kind, gateway, { authorization });
      const query = `DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
      const path = `/api/v1/${name}?${query}&sandbox=locked`;
      const operations = [
        ...operationsOn(kind, id),
        { method: "GET", path },
      ];
      for (const [headers, expected] of [...STRANGERS, ...strangers]) {
        for (const operation of operations) {
          const { status } = await ask(gateway, operation, headers);
          const what = JSON.stringify([operation, headers]);
          assert.equal(status, expected, what);
        }
      }
      const read = await askApi(gateway, memberKey, { path: `/${id}` });
      assert.equal(read.status, 200);
    });
  }

  for (const scope of SESSION_SCOPES) {
    testLogins(
      `a login makes and ends ${name} from pages of the base domain, and from no app's or other site's (SESSION_SCOPE=${scope})`,
      async (start) => {
        await using records = await recordsFile();
        await using gateway = await start({
          ...settings,
          ...records.environment,
          SESSION_SCOPE: scope,
        });
        const cookie = await logIn(gateway);
        const { host, origin } = new URL(gateway.at(""));
        const own = { "sec-fetch-site": "same-origin", origin };
        const id = await make(kind, gateway, { cookie, ...own }, host);
        const operations = operationsOn(kind, id);
        const app = gateway.at("3000-locked", "");
        for (const operation of operations) {
          for (
            const headers of [
              {},
              { "sec-fetch-site": "same-site", origin: app },
              { "sec-fetch-site": "same-site", origin: `http://shop.${BASE}` },
              { "sec-fetch-site": "cross-site", origin: "https://evil.test" },
              { "sec-fetch-site": "cross-site", origin: "null" },
            ] as Texts[]
          ) {
            const sent = { cookie, ...headers };
            const answer = await ask(gateway, operation, sent, host);
            assert.equal(answer.code, "origin_refused", operation.path);
            const cors = answer.headers.get("access-control-allow-origin");
            assert.equal(cors, null);
          }
          const stranger = { ...own, cookie: "app=1" };
          const { code } = await ask(gateway, operation, stranger, host);
          assert.equal(code, "login_required", operation.path);
        }
        const read = { cookie, "sec-fetch-site": "same-origin" };
        const statuses = [];
        for (const operation of operations.filter(({ body }) => !body)) {
          const headers = operation.method === "GET"
            ? read
            : { cookie, ...own };
          const { status } = await ask(gateway, operation, headers, host);
          statuses.push(status);
        }
        assert.deepEqual(statuses, [200, 200, 204]);
      },
    );
  }

  Deno.test(`${name} are off without the switch, or without a place for records, and the routes say so`, async () => {
    for (
      const environment of [
        {},
        { ...settings, RECORDS_URL: "none" },
        { ...settings, RECORDS_URL: "kv::memory:" },
      ]
    ) {
      await using gateway = await startGateway(environment);
      const authorization = `Bearer ${KEYS.user}`;
      for (const operation of operationsOn(kind, "x")) {
        const answer = await ask(gateway, operation, { authorization });
        const { status, code } = answer;
        const what = JSON.stringify([environment, operation]);
        assert.deepEqual([status, code], [501, "feature_off"], what);
      }
      await kind.whenOff?.(gateway);
    }
  });
}
