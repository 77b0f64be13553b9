import assert from "node:assert/strict";
import { LoginSessions } from "../../../src/auth/login_sessions.ts";
import type { Tokens } from "../../../src/auth/oidc/provider.ts";
import type { LoginSession } from "../../../src/auth/session.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreKey,
  StoreLookup,
} from "../../../src/cache/store.ts";
import { GatewayError } from "../../../src/errors.ts";
import { Background } from "../../../src/lib/background.ts";
import { createSealer } from "../../../src/lib/seal.ts";
import { UNMETERED } from "../../../src/resolver/lookup_cache.ts";

const CALLER = ["192.0.2.1", UNMETERED] as const;
const MINUTE_MS = 60_000;

/** A shared tier whose reads are answered by `read`, and the keys that were written or deleted. */
function storeThat(read: () => StoreLookup) {
  const writes: StoreKey[] = [];
  const store: DurableStore = {
    shared: true,
    get: () => Promise.resolve(read()),
    set: (key) => Promise.resolve(void writes.push(key)),
    delete: (key) => Promise.resolve(void writes.push(key)),
    claim: () => Promise.resolve("unavailable"),
    release: () => Promise.resolve(),
    announce: () => Promise.resolve(),
    listen() {},
    close() {},
  };
  return { store, writes };
}

/** Login sessions with an API that grants access to the access tokens in `good` only. */
function setUp(store: DurableStore | null = null, needsState = false) {
  const clock = { now: 1_000_000_000_000 };
  const now = () => clock.now;
  const good = new Set(["first"]);
  const known = new Set<string>();
  const refreshes: string[] = [];
  const issuers: (string | undefined)[] = [];
  const users: (string | undefined)[] = [];
  const failedTasks: unknown[][] = [];
  const background = new Background((...failed) => failedTasks.push(failed));
  let answer: Tokens | null | Error | (() => Promise<Tokens>) = null;
  const logins = new LoginSessions({
    access: {
      hasAccess(_, { bearer, tokens }) {
        if (known.has(bearer)) return true;
        users.push(tokens.identity?.subject);
        return Promise.resolve(good.has(bearer));
      },
    },
    visitors: {
      admits: ({ port }, { accessToken }) =>
        Promise.resolve(port === 3000 && accessToken === "stranger"),
    },
    needsState,
    provider: {
      state: "on",
      refresh(token, issuer) {
        refreshes.push(token);
        issuers.push(issuer);
        if (typeof answer === "function") return answer();
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve(answer);
      },
    },
    store,
    sealer: createSealer({ secrets: ["s".repeat(32)], purpose: "t", now }),
    background,
    closing: new AbortController().signal,
    cache: { maxEntries: 10 },
    onEvent() {},
    now,
  });
  const session: LoginSession = {
    kind: "login",
    id: "id",
    sandboxId: "box",
    expiresAt: clock.now + 60 * MINUTE_MS,
  };
  const tokens: Tokens = {
    accessToken: "first",
    expiresAt: clock.now + 5 * MINUTE_MS,
    refreshToken: "refresh",
  };
  return {
    background,
    failedTasks,
    clock,
    good,
    known,
    logins,
    refreshes,
    issuers,
    users,
    session,
    tokens,
    answerWith(next: Tokens | null | Error | (() => Promise<Tokens>)) {
      answer = next;
    },
  };
}

Deno.test("LoginSessions grant access only as long as the API does", async () => {
  const { good, logins, session, tokens } = setUp();
  await logins.begin(session, tokens);
  assert(await logins.grantsAccess(session, ...CALLER));
  good.clear();
  assert(!await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions say at once what a session opens that is known, and ask nobody", async () => {
  const { clock, known, logins, refreshes, session, tokens, users } = setUp();
  known.add("first");
  await logins.begin(session, tokens);
  assert.equal(logins.grantsAccess(session, ...CALLER), true);
  clock.now += 5 * MINUTE_MS - 30_001; // just before the token is due
  assert.equal(logins.grantsAccess(session, ...CALLER), true);
  await logins.end(session);
  assert.equal(logins.grantsAccess(session, ...CALLER), false);
  assert.deepEqual([users, refreshes], [[], []]);
});

Deno.test("LoginSessions read a session again that a shared tier may have changed", async () => {
  const { clock, known, logins, session, tokens } = setUp(
    storeThat(() => "absent").store,
  );
  known.add("first");
  await logins.begin(session, tokens);
  assert.equal(logins.grantsAccess(session, ...CALLER), true);
  clock.now += 10_000;
  const again = logins.grantsAccess(session, ...CALLER);
  assert(again instanceof Promise);
  assert.equal(await again, true);
});

Deno.test("LoginSessions let who is no member look at a port, as long as the session is known and has not ended", async () => {
  const { logins, session, tokens } = setUp();
  const place = { label: "box", port: 3000 };
  assert(!await logins.visits(place, session, UNMETERED));
  await logins.begin(session, { ...tokens, accessToken: "stranger" });
  assert(await logins.visits(place, session, UNMETERED));
  const other = { ...place, port: 8000 };
  assert(!await logins.visits(other, session, UNMETERED));
  await logins.end(session);
  assert(!await logins.visits(place, session, UNMETERED));
});

Deno.test("LoginSessions say what a user is called, as long as the session is open and its store answers, and ask nobody", async () => {
  const { clock, logins, refreshes, session, tokens } = setUp();
  assert.equal(await logins.nameOf(session), undefined);
  assert.equal(await logins.nameOf(undefined), undefined);
  await logins.begin(session, { ...tokens, subject: "alice" });
  clock.now += 10 * MINUTE_MS; // the access token has expired
  assert.equal(await logins.nameOf(session), "alice");
  const identity = {
    subject: "alice",
    email: "alice@p.test",
    isEmailVerified: true,
    groups: [],
    hasLiveGroups: false,
    checkedAt: 0,
  };
  await logins.begin(session, { ...tokens, subject: "alice", identity });
  assert.equal(await logins.nameOf(session), "alice@p.test");
  await logins.end(session);
  assert.equal(await logins.nameOf(session), undefined);
  assert.deepEqual(refreshes, []);
  const broken = setUp(storeThat(() => "unavailable").store);
  assert.equal(await broken.logins.nameOf(session), undefined);
});

Deno.test("LoginSessions with a durable tier refuse a session that no tier knows", async () => {
  const { store } = storeThat(() => "absent");
  const { logins, session, tokens } = setUp(store);
  assert(!await logins.grantsAccess(session, ...CALLER));
  await logins.begin(session, tokens);
  assert(await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions keep a logout while the durable tier fails", async () => {
  let answer: StoreLookup = "absent";
  const { store, writes } = storeThat(() => answer);
  const { clock, logins, session, tokens } = setUp(store);
  await logins.begin(session, tokens);
  await assert.rejects(logins.end(session), /did not store/);
  const written = writes.length;
  answer = "unavailable";
  for (let i = 0; i < 5; i++) {
    clock.now += 10_000; // past the recheck of a shared tier
    assert(!await logins.grantsAccess(session, ...CALLER));
  }
  assert.equal(writes.length, written);
});

Deno.test("LoginSessions keep a logout that the durable tier lost", async () => {
  const writes = new Map<string, StoredEntry>();
  let loses = false;
  const { logins, session, tokens, clock } = setUp({
    ...storeThat(() => writes.get("entry") ?? "absent").store,
    set(_, entry) {
      if (!loses) writes.set("entry", entry);
      return Promise.resolve();
    },
  });
  await logins.begin(session, tokens);
  loses = true;
  await assert.rejects(logins.end(session), { code: "logout_incomplete" });
  clock.now += MINUTE_MS;
  assert(!await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions fail if the durable tier cannot be read", async () => {
  const { store } = storeThat(() => "unavailable");
  const { logins, session } = setUp(store);
  await assert.rejects(
    async () => await logins.grantsAccess(session, ...CALLER),
    {
      code: "session_unavailable",
    },
  );
});

Deno.test("LoginSessions keep a logout that came during a renewal", async () => {
  const { clock, logins, session, tokens, answerWith } = setUp();
  await logins.begin(session, tokens);
  clock.now += 5 * MINUTE_MS;
  answerWith({ accessToken: "first", expiresAt: undefined });
  const judged = logins.grantsAccess(session, ...CALLER);
  await logins.end(session);
  assert(!await judged);
  assert(!await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions keep a logout that reached the tier just after a renewal read it", async () => {
  let entry: StoredEntry | undefined;
  let hold: (() => Promise<void>) | undefined;
  const { clock, logins, session, tokens, answerWith } = setUp({
    ...storeThat(() => "absent").store,
    async get() {
      const found = entry ?? "absent";
      await hold?.();
      return found;
    },
    set: (_, written) => Promise.resolve(void (entry = written)),
  });
  await logins.begin(session, tokens);
  clock.now += 5 * MINUTE_MS;
  const reading = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  answerWith(() => {
    hold = () => {
      reading.resolve();
      return answered.promise;
    };
    return Promise.resolve({ accessToken: "first", expiresAt: undefined });
  });
  const judged = logins.grantsAccess(session, ...CALLER);
  await reading.promise;
  hold = undefined;
  await logins.end(session);
  answered.resolve();
  assert(!await judged);
  assert(!await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions keep a logout at another gateway that came during a renewal", async () => {
  let entry: StoredEntry | undefined;
  const store: DurableStore = {
    ...storeThat(() => entry ?? "absent").store,
    set: (_, written) => Promise.resolve(void (entry = written)),
  };
  const ours = setUp(store);
  const theirs = setUp(store);
  await ours.logins.begin(ours.session, ours.tokens);
  ours.clock.now += 5 * MINUTE_MS;
  ours.answerWith(async () => {
    await theirs.logins.end(theirs.session);
    return { accessToken: "first", expiresAt: undefined };
  });
  assert(!await ours.logins.grantsAccess(ours.session, ...CALLER));
  assert(!await theirs.logins.grantsAccess(theirs.session, ...CALLER));
  ours.clock.now += MINUTE_MS;
  assert(!await ours.logins.grantsAccess(ours.session, ...CALLER));
});

Deno.test("LoginSessions keep a logout until the session would have expired", async () => {
  const { clock, logins, session, tokens } = setUp();
  await logins.begin(session, tokens);
  await logins.end(session);
  while (clock.now < session.expiresAt) {
    assert(!await logins.grantsAccess(session, ...CALLER));
    clock.now += MINUTE_MS;
  }
});

Deno.test("LoginSessions renew an access token in the background before it expires", async () => {
  const { background, clock, good, logins, refreshes, session, tokens, ...to } =
    setUp();
  await logins.begin(session, tokens);
  clock.now = (tokens.expiresAt ?? 0) - 30_001;
  assert(await logins.grantsAccess(session, ...CALLER));
  assert.deepEqual(refreshes, []);

  clock.now++;
  const renewal = Promise.withResolvers<Tokens>();
  to.answerWith(() => renewal.promise);
  assert(await logins.grantsAccess(session, ...CALLER));
  assert(await logins.grantsAccess(session, ...CALLER));
  renewal.resolve({
    accessToken: "second",
    expiresAt: clock.now + 5 * MINUTE_MS,
    refreshToken: "refresh-2",
  });
  await background.settled();
  assert.deepEqual(refreshes, ["refresh"]);
  good.delete("first");
  assert(!await logins.grantsAccess(session, ...CALLER));
  good.add("second");
  assert(await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions show a refresh token to the issuer that it is from", async () => {
  for (const issuer of ["https://sso.example.com", undefined]) {
    const { answerWith, clock, issuers, logins, session, tokens } = setUp();
    answerWith({ ...tokens, issuer });
    await logins.begin(session, { ...tokens, issuer });
    clock.now += 6 * MINUTE_MS;
    await logins.grantsAccess(session, ...CALLER);
    assert.deepEqual(issuers, [issuer]);
  }
});

Deno.test("LoginSessions report an early renewal that fails, and lock nobody out", async () => {
  const { background, clock, failedTasks, logins, session, ...world } = setUp();
  await logins.begin(session, world.tokens);
  clock.now += 5 * MINUTE_MS - 1;
  const down = new GatewayError("login_unavailable", "down");
  world.answerWith(down);
  for (let request = 0; request < 3; request++) {
    assert(await logins.grantsAccess(session, ...CALLER));
    await background.settled();
  }
  assert.deepEqual(world.refreshes, ["refresh"]);
  // The log tells of it (see service.ts).
  assert.deepEqual(failedTasks, [["renew login session", down]]);
});

Deno.test("LoginSessions renew an expired access token once for all concurrent requests", async () => {
  const { clock, good, logins, refreshes, session, tokens, answerWith } =
    setUp();
  await logins.begin(session, tokens);
  clock.now += 5 * MINUTE_MS;
  good.add("second");
  answerWith({
    accessToken: "second",
    expiresAt: clock.now + 5 * MINUTE_MS,
    refreshToken: "refresh-2",
  });
  const judged = await Promise.all(
    Array.from({ length: 20 }, () => logins.grantsAccess(session, ...CALLER)),
  );
  assert(judged.every(Boolean));
  assert.deepEqual(refreshes, ["refresh"]);
});

Deno.test("LoginSessions end a session whose refresh token is refused", async () => {
  const { clock, logins, refreshes, session, tokens } = setUp();
  await logins.begin(session, tokens);
  clock.now += 5 * MINUTE_MS;
  assert(!await logins.grantsAccess(session, ...CALLER));
  assert(!await logins.grantsAccess(session, ...CALLER));
  assert.deepEqual(refreshes, ["refresh"]);
});

Deno.test("LoginSessions let the API judge an expired access token without a refresh token", async () => {
  const { clock, good, logins, refreshes, session, tokens } = setUp();
  const { refreshToken: _, ...fixed } = tokens;
  await logins.begin(session, fixed);
  clock.now += 5 * MINUTE_MS;
  assert(await logins.grantsAccess(session, ...CALLER));
  good.clear();
  assert(!await logins.grantsAccess(session, ...CALLER));
  assert.deepEqual(refreshes, []);
});

Deno.test("LoginSessions end no session because the provider is down", async () => {
  const { clock, logins, session, tokens, answerWith } = setUp();
  await logins.begin(session, tokens);
  clock.now += 5 * MINUTE_MS;
  answerWith(new GatewayError("login_unavailable", "down"));
  await assert.rejects(
    async () => await logins.grantsAccess(session, ...CALLER),
    {
      code: "login_unavailable",
    },
  );
  answerWith({ accessToken: "first", expiresAt: undefined });
  assert(await logins.grantsAccess(session, ...CALLER));
});

Deno.test("end() fails if the durable tier did not store the logout", async () => {
  const { store } = storeThat(() => "unavailable");
  const { logins, session } = setUp(store);
  await assert.rejects(
    logins.end(session),
    (error) =>
      error instanceof GatewayError && error.code === "logout_incomplete",
  );
});

Deno.test("end() of a session that has expired is stored for gateways whose clocks are behind, and may be lost", async () => {
  const { store, writes } = storeThat(() => "unavailable");
  const { clock, logins, session } = setUp(store);
  clock.now = session.expiresAt;
  await assert.doesNotReject(logins.end(session));
  assert.equal(writes.length, 1);
  assert(!await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions without a durable tier accept an unknown session, unless its id is of this process", async () => {
  const { logins, session, tokens } = setUp();
  const ours = { ...session, id: logins.newId() };
  assert(await logins.grantsAccess(session, ...CALLER));
  await logins.begin(ours, tokens);
  assert(await logins.grantsAccess(ours, ...CALLER));
  await logins.end(ours);
  for (let other = 0; other < 10; other++) {
    await logins.begin({ ...session, id: logins.newId() }, tokens);
  }
  assert(!await logins.grantsAccess(ours, ...CALLER));
});

Deno.test("LoginSessions refuse an unknown session where a rule has to be applied to its user", async () => {
  const { logins, session } = setUp(null, true);
  assert(!await logins.grantsAccess(session, ...CALLER));
});

Deno.test("LoginSessions know whose a session is after a renewal, too, unless the provider tells anew", async () => {
  const { clock, logins, session, tokens, users, answerWith } = setUp();
  const identity = {
    subject: "ann",
    email: "ann@example.com",
    isEmailVerified: true,
    groups: [],
    hasLiveGroups: false,
    checkedAt: 0,
  };
  await logins.begin(session, { ...tokens, identity });
  const expiresAt = clock.now + 10 * MINUTE_MS;
  answerWith({ accessToken: "first", expiresAt, refreshToken: "refresh" });
  clock.now += 5 * MINUTE_MS;
  await logins.grantsAccess(session, ...CALLER);
  const untold = { accessToken: "first", expiresAt: clock.now + 5 * MINUTE_MS };
  answerWith({ ...untold, refreshToken: "refresh", identity: undefined });
  clock.now += 5 * MINUTE_MS;
  await logins.grantsAccess(session, ...CALLER);
  const renamed = { ...identity, subject: "ann smith" };
  answerWith({ accessToken: "first", expiresAt: undefined, identity: renamed });
  clock.now += 5 * MINUTE_MS;
  await logins.grantsAccess(session, ...CALLER);
  assert.deepEqual(users, ["ann", "ann", "ann smith"]);
});
