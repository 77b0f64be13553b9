/** What is promised of whatever carries a grant for port 3000 of `locked`, tested on complete services. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS, startStack } from "../../../scripts/stand_in/stack.ts";
import { backgroundWork } from "../background_work.ts";
import { fakeClock } from "../fake_clock.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGatewayOf,
  type TestGateway,
} from "../gateway.ts";
import { askerOf, testsOfMembers } from "../records_api.ts";
import { sharedTierTest } from "../shared_tier.ts";
import { type StartGateway, WORLDS } from "../worlds.ts";
import { testEndInOutage } from "./end_in_outage.ts";

type Texts = Readonly<Record<string, string>>;

/** What carries a grant: `Made` is one of them. */
interface GrantCarrier<Made> {
  /** One of them: `a share`. */
  readonly one: string;
  /** Starts a gateway that takes them, with these settings. */
  start(start: StartGateway, environment?: Texts): Promise<TestGateway>;
  /** Has a member make one that lasts for so many seconds, or as long as is usual. */
  make(gateway: TestGateway, key: string, lastsSec?: number): Promise<Made>;
  /** What its holder sends to its port from then on; fails if it opens nothing. */
  open(gateway: TestGateway, made: Made): Promise<Texts>;
  /** The secrets by which its holder might try to be taken for a member. */
  secretsOf(gateway: TestGateway, made: Made): Promise<readonly string[]>;
  /** For a kind of records: how it ends. */
  readonly record?: {
    /** What it is called in paths: `shares`. */
    readonly kind: string;
    readonly settings: Texts;
    idOf(made: Made): string;
    /** Prepares what is asserted besides, once it has ended; `first` is where that is done, `second` where it was opened. */
    watch?(
      made: Made,
      first: TestGateway,
      second: TestGateway,
    ): Promise<() => Promise<void>>;
  };
}

/** The time in which a change is seen everywhere, and that between two rechecks of what is open, ms. */
const SEEN_MS = 5_000;
const RECHECK_MS = 25_000;

/** Opens a WebSocket of the app. */
async function openSocket(
  { port }: TestGateway,
  headers: Texts,
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { ...headers, host: LOCKED },
  });
  await once(socket, "open");
  return socket;
}

/** What is not its port: pages of members, and operations of theirs. */
const OF_MEMBERS = [
  ["GET", "/inspect/locked"],
  ["GET", "/inspect/locked/events"],
  ["GET", "/toolbox/locked/files"],
  ["GET", "/api/v1/tokens?sandbox=locked"],
  ["GET", "/api/v1/shares?sandbox=locked"],
  ["POST", "/api/v1/shares"],
  ["POST", "/api/v1/previews/locked/3000/start"],
] as const;

/** Declares the tests of what carries a grant. */
export function testGrantCarrier<Made>(carrier: GrantCarrier<Made>): void {
  const { one, record } = carrier;
  const test = testsOfMembers((startGateway) =>
    carrier.start(startGateway, {
      WAKE: "press",
      SHARES: "members",
      MACHINE_TOKENS: "members",
    })
  );

  test(`${one} opens its port of its sandbox, and no other, nor view, API, toolbox or start`, async ({ gateway, key }) => {
    const { stack: { api } } = gateway;
    api.sandbox("demo").public = false;
    const made = await carrier.make(gateway, key);
    const headers = await carrier.open(gateway, made);
    assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
    const others = [3001, 2280, 22_222, 33_333].map((port) =>
      `${port}-locked.${BASE}`
    );
    for (const host of [DEMO, ...others]) {
      assert.equal((await gateway.send(host, { headers })).status, 401, host);
    }
    const secrets = await carrier.secretsOf(gateway, made);
    const page = {
      "origin": `http://${BASE}`,
      "sec-fetch-site": "same-origin",
    };
    for (
      const credential of [
        { ...page, ...headers },
        ...secrets.map((secret) => ({ authorization: `Bearer ${secret}` })),
        ...secrets.map((secret) => ({ "x-porthole-token": secret })),
      ] as Texts[]
    ) {
      for (const [method, path] of OF_MEMBERS) {
        const { status } = await gateway.send(BASE, {
          method,
          path,
          headers: { "content-type": "application/json", ...credential },
          body: path === "/api/v1/shares"
            ? JSON.stringify({ sandbox: "locked", port: 3000 })
            : undefined,
        });
        assert([401, 403, 404].includes(status), `${path} ${status}`);
      }
    }
    assert.equal(api.count("startSandbox"), 0);
  });

  for (const { suffix, startGateway, memberKey } of WORLDS) {
    Deno.test(`${one} is over when its time is, and what it has open ends then, neither sooner nor later${suffix}`, async () => {
      using clock = fakeClock();
      await using gateway = await carrier.start(startGateway, {
        SESSION_TTL_SEC: "60",
      });
      clock.pass(1000 - Date.now() % 1000); // some count in whole seconds
      const made = await carrier.make(gateway, memberKey, 90);
      const headers = await carrier.open(gateway, made);
      const socket = await openSocket(gateway, headers);
      const closed = once(socket, "close");
      for (const passedMs of [45_000, 44_999]) {
        clock.pass(passedMs);
        assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
      }
      socket.send("still there");
      const [echo] = await Promise.race([once(socket, "message"), closed]);
      assert.equal(String(echo), "still there");
      clock.pass(1);
      const { status, code } = await gateway.send(LOCKED, { headers });
      assert.equal(status, 401);
      assert.match(String(code), /^(?:grant_invalid|login_required)$/);
      clock.pass(RECHECK_MS);
      assert.equal((await closed)[0], 1008);
    });

    Deno.test(`${one} opens nothing once its sandbox is gone${suffix}`, async () => {
      using clock = fakeClock();
      await using gateway = await carrier.start(startGateway, {
        RUNNER_TTL_SEC: "10",
      });
      const made = await carrier.make(gateway, memberKey);
      const headers = await carrier.open(gateway, made);
      assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
      gateway.stack.api.state.sandboxes.delete("locked");
      gateway.stack.runner.containers.delete("locked");
      clock.pass(60_000);
      const { status } = await gateway.send(LOCKED, { headers });
      assert([401, 404].includes(status), String(status));
    });

    Deno.test(`${one} opens no port whose label leaves members only, and what it has open there is cut at the recheck${suffix}`, async () => {
      using clock = fakeClock();
      await using gateway = await carrier.start(startGateway, {
        RUNNER_TTL_SEC: "1",
        PUBLIC_TTL_SEC: "1",
      });
      const made = await carrier.make(gateway, memberKey);
      const headers = await carrier.open(gateway, made);
      const socket = await openSocket(gateway, headers);
      const closed = once(socket, "close");
      const sandbox = gateway.stack.api.sandbox("locked");
      sandbox.labels = { ...sandbox.labels, "porthole.port.3000": "members" };
      clock.pass(RECHECK_MS);
      assert.equal((await closed)[0], 1008);
      const again = await gateway.send(LOCKED, { headers });
      assert.equal(again.code, "grant_invalid");
    });
  }

  if (record === undefined) return;
  const askApi = askerOf(record.kind);

  sharedTierTest(
    `${one} that is ended at one is refused at the other within 5 s, and its WebSocket is cut there within 30 s`,
    async (tier) => {
      using clock = fakeClock();
      using work = backgroundWork();
      clock.pass(1); // a time of 0 is none to what expires
      await using stack = await startStack();
      const settings = { ...record.settings, ...tier.environment };
      await using first = await startGatewayOf(stack, settings);
      await using second = await startGatewayOf(stack, settings);
      const made = await carrier.make(first, KEYS.user);
      const headers = await carrier.open(second, made);
      const codeAt = async ({ send }: TestGateway) =>
        (await send(LOCKED, { headers })).code;
      assert.equal(await codeAt(second), null);
      const socket = await openSocket(second, headers);
      const closed = once(socket, "close");
      const assertBesides = await record.watch?.(made, first, second);
      const end = { method: "DELETE", path: `/${record.idOf(made)}` };
      const ended = await askApi(first, KEYS.user, end);
      assert.deepEqual([ended.status, ended.body], [204, ""]);
      assert.equal((await askApi(first, KEYS.user, end)).code, "not_found");
      assert.equal(await codeAt(first), "grant_invalid");
      await work.settled();
      clock.pass(SEEN_MS + 1);
      assert.equal(await codeAt(second), "grant_invalid");
      await assertBesides?.();
      await work.settled();
      clock.pass(RECHECK_MS);
      assert.equal((await closed)[0], 1008);
    },
  );

  testEndInOutage({ ...carrier, record });
}
