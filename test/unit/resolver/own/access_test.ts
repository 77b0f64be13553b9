import assert from "node:assert/strict";
import type { DurableStore } from "../../../../src/cache/store.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { Background } from "../../../../src/lib/background.ts";
import { AccessResolver } from "../../../../src/resolver/own/access.ts";
import { UNMETERED } from "../../../../src/resolver/lookup_cache.ts";
import { fakeStore, manualClock } from "../../cache/fakes.ts";
import { configOf } from "../../../support/config.ts";
import { jwtOf } from "../../../support/jwt.ts";

const USER = { bearer: "key", clientAddress: "127.0.0.1" };
const STRANGER = { ...USER, bearer: "another" };
const FORMER = { ...USER, bearer: "former" };
const MACHINE = { ...USER, bearer: "machine" };

/** A resolver whose API knows the preview token `good`, the bearers `key` and `machine`, and the link `link` of port 3000. */
function setUp(
  store: DurableStore | null = null,
  env: Record<string, string> = {},
) {
  const { cache } = configOf(env);
  const state = { isDown: false };
  const clock = manualClock();
  const background = new Background(() => {});
  const calls: string[] = [];
  const events: string[] = [];
  function ask<T>(call: string, answer: T): Promise<T> {
    calls.push(call);
    return state.isDown
      ? Promise.reject(new GatewayError("api_unreachable", ""))
      : Promise.resolve(answer);
  }
  const access = new AccessResolver({
    isPreviewToken: (id, token) =>
      ask(`token ${id} ${token}`, id === "box" && token === "good"),
    hasSandboxAccess: (id, { bearer, clientAddress }) =>
      ask(
        `access ${id} ${bearer} ${clientAddress}`,
        bearer === "former" ? null : id === "box" && bearer !== "another",
      ),
    isOwnedByUser: ({ bearer, clientAddress }) =>
      ask(`owner ${bearer} ${clientAddress}`, bearer !== "machine"),
    sandboxIdOfSignedToken: (token, port) =>
      ask(
        `link ${token} ${port}`,
        token === "link" && port === 3000 ? "box" : null,
      ),
    signingKeyOfSandbox: (id) => ask(`key ${id}`, id === "box" ? "key" : null),
  }, {
    cache,
    store,
    now: () => clock.now(),
    onEvent: (event) => events.push(event),
    background,
  });
  const settled = () => background.settled();
  return { access, calls, events, settled, state, clock };
}

Deno.test("AccessResolver asks the API once per credential and sandbox, once per port of a signed link, and once per signing key", async () => {
  const { access, calls } = setUp();
  for (let round = 0; round < 2; round++) {
    assert.equal(await access.isPreviewToken("box", "good", UNMETERED), true);
    assert.equal(await access.isPreviewToken("box", "bad", UNMETERED), false);
    assert.equal(
      await access.isPreviewToken("other", "good", UNMETERED),
      false,
    );
    assert.equal(await access.hasAccess("box", USER, UNMETERED), true);
    assert.equal(await access.hasAccess("other", USER, UNMETERED), false);
    assert.equal(await access.hasAccess("box", STRANGER, UNMETERED), false);
    assert.equal(await access.hasAccess("box", MACHINE, UNMETERED), false);
    assert.equal(
      await access.sandboxOfSignedToken("link", 3000, UNMETERED),
      "box",
    );
    assert.equal(
      await access.sandboxOfSignedToken("link", 3001, UNMETERED),
      null,
    );
    assert.equal(
      await access.sandboxOfSignedToken("other", 3000, UNMETERED),
      null,
    );
    assert.equal(await access.signingKeyOf("box", UNMETERED), "key");
    assert.equal(await access.signingKeyOf("other", UNMETERED), null);
  }
  assert.deepEqual(calls, [
    "token box good",
    "token box bad",
    "token other good",
    "access box key 127.0.0.1",
    "owner key 127.0.0.1",
    "access other key 127.0.0.1",
    "access box another 127.0.0.1",
    "access box machine 127.0.0.1",
    "owner machine 127.0.0.1",
    "link link 3000",
    "link link 3001",
    "link other 3000",
    "key box",
    "key other",
  ]);
});

Deno.test("AccessResolver answers at once as long as it need not ask again", async () => {
  const { access, clock } = setUp();
  const answers = () => [
    access.isPreviewToken("box", "good", UNMETERED),
    access.isPreviewToken("box", "bad", UNMETERED),
    access.hasAccess("box", USER, UNMETERED),
    access.hasAccess("box", FORMER, UNMETERED),
  ];
  const expected = [true, false, true, null];
  for (
    const change of [
      () => {},
      () => access.forget("box", { mark: "started", tiers: "both" }),
      () => clock.time += 10 * 60_000,
    ]
  ) {
    await change();
    const asked = answers();
    assert(asked.every((answer) => answer instanceof Promise));
    assert.deepEqual(await Promise.all(asked), expected);
    assert.deepEqual(answers(), expected);
  }
});

Deno.test("AccessResolver reads every kind of answer that another gateway stored", async () => {
  const { store } = fakeStore({ shared: true });
  const first = setUp(store);
  async function answers({ access }: typeof first) {
    return [
      await access.isPreviewToken("box", "good", UNMETERED),
      await access.isPreviewToken("box", "bad", UNMETERED),
      await access.hasAccess("box", USER, UNMETERED),
      await access.hasAccess("box", FORMER, UNMETERED),
      await access.sandboxOfSignedToken("link", 3000, UNMETERED),
      await access.sandboxOfSignedToken("other", 3000, UNMETERED),
    ];
  }
  const expected = [true, false, true, null, "box", null];
  assert.deepEqual(await answers(first), expected);
  await first.settled();
  const second = setUp(store);
  assert.deepEqual(await answers(second), expected);
  assert.deepEqual(second.calls, []);
  assert.deepEqual(new Set(second.events), new Set(["durable_hit"]));
});

Deno.test("AccessResolver ignores a stored sandbox id that is malformed", async () => {
  const { store, entries } = fakeStore({ shared: true });
  const first = setUp(store);
  await first.access.sandboxOfSignedToken("link", 3000, UNMETERED);
  await first.settled();
  for (const value of ["../other", "", 1, true, {}]) {
    for (const [key, entry] of entries) entries.set(key, { ...entry, value });
    const { access, calls, settled } = setUp(store);
    assert.equal(
      await access.sandboxOfSignedToken("link", 3000, UNMETERED),
      "box",
    );
    assert.deepEqual(calls, ["link link 3000"]);
    await settled();
  }
});

Deno.test("AccessResolver refuses a malformed credential without a lookup", async () => {
  const { access, calls } = setUp();
  const budget = { spend: () => assert.fail("spent") };
  const user = { ...USER, bearer: "two words" };
  assert.equal(await access.isPreviewToken("box", "../x", budget), false);
  assert.equal(await access.hasAccess("box", user, budget), false);
  assert.deepEqual(calls, []);
});

Deno.test("AccessResolver keeps signing keys in process, whatever else is stored", async () => {
  const fake = fakeStore({ shared: true });
  const { access, settled } = setUp(fake.store);
  assert.equal(await access.isPreviewToken("box", "good", UNMETERED), true);
  assert.equal(await access.signingKeyOf("box", UNMETERED), "key");
  await settled();
  const kinds = [...fake.entries.keys()].map((name) => name.split("/")[0]);
  assert.deepEqual(kinds, ["sandbox-auth-key-valid"]);
});

Deno.test("AccessResolver forgets what was said of a changed sandbox's credentials and of no other's, and shares what was said since", async () => {
  const { store } = fakeStore({ shared: true });
  const first = setUp(store);
  const second = setUp(store);
  async function askAll({ access }: typeof first): Promise<void> {
    for (const id of ["box", "other"]) {
      await access.isPreviewToken(id, "good", UNMETERED);
      await access.hasAccess(id, STRANGER, UNMETERED);
    }
    await access.signingKeyOf("box", UNMETERED);
  }
  await askAll(first);
  await first.settled();
  const before = first.calls.length;
  await first.access.forget("box", { mark: "m", tiers: "both" });
  await second.access.forget("box", { mark: "m", tiers: "process" });
  await askAll(first);
  await first.settled();
  const asked = [
    "token box good",
    "access box another 127.0.0.1",
    "key box",
  ];
  assert.deepEqual(first.calls.slice(before), asked);
  await askAll(second);
  assert.deepEqual(second.calls, ["key box"]); // that one is kept in process only
});

Deno.test("AccessResolver uses no JWT or login's token past its own end, however long an outage may extend others", async () => {
  const env = { TOKEN_STALE_IF_ERROR_SEC: "3600" };
  const { access, state, clock } = setUp(null, env);
  const endsAt = clock.time + 300_000;
  const jwt = jwtOf(undefined, endsAt / 1000);
  const users = [
    { ...USER, bearer: jwt },
    { ...USER, bearer: "opaque", tokens: { expiresAt: endsAt } },
  ];
  const isIn = (user: typeof users[number]) =>
    Promise.resolve(access.hasAccess("box", user, UNMETERED)).catch((
      { code },
    ) => code);
  for (const user of [USER, ...users]) assert.equal(await isIn(user), true);
  state.isDown = true;
  for (const [ms, expected] of [[299_999, true], [1, "api_unreachable"]]) {
    clock.time += Number(ms);
    for (const user of users) assert.equal(await isIn(user), expected);
    assert.equal(await isIn(USER), true);
  }
});
