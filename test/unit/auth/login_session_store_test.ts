import assert from "node:assert/strict";
import {
  LoginSessionStore,
  type OpenState,
} from "../../../src/auth/login_session_store.ts";
import type { LoginSession } from "../../../src/auth/session.ts";
import { RECHECK_MS } from "../../../src/cache/recheck.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreLookup,
} from "../../../src/cache/store.ts";
import { Background } from "../../../src/lib/background.ts";
import { createSealer } from "../../../src/lib/seal.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { settled } from "../cache/fakes.ts";

const OPEN: OpenState = {
  state: "open",
  accessToken: "first",
  expiresAt: 2_000_000_000_000,
};
const RENEWED: OpenState = { ...OPEN, accessToken: "second" };

/** A durable tier in memory, and its entries. */
function createTier(shared: boolean) {
  const entries = new Map<string, StoredEntry>();
  const returned: (() => void)[] = [];
  const listeners: ((message: string) => void)[] = [];
  const tier: DurableStore = {
    shared,
    get: (key) => Promise.resolve(entries.get(key.join()) ?? "absent"),
    set: (key, entry) => Promise.resolve(void entries.set(key.join(), entry)),
    delete: (key) => Promise.resolve(void entries.delete(key.join())),
    claim(key, entry) {
      if (entries.has(key.join())) return Promise.resolve("taken");
      entries.set(key.join(), entry);
      return Promise.resolve("claimed");
    },
    onReturn: (onReturn) => void returned.push(onReturn),
    release: () => Promise.resolve(),
    announce(message) {
      for (const listener of listeners) listener(message);
      return Promise.resolve();
    },
    listen: (listener) => void listeners.push(listener),
    close() {},
  };
  /** Tells all gateways that it is there again. */
  function comeBack(): void {
    for (const onReturn of returned) onReturn();
  }
  return { tier, entries, comeBack };
}

/** A store of one gateway on `tier`. */
function setUp(
  tier: DurableStore | null,
  { secrets = ["s".repeat(32)], maxEntries = 10 } = {},
) {
  const clock = { now: 1_000_000_000_500 };
  const now = () => clock.now;
  const events: string[] = [];
  const closing = new AbortController();
  const background = new Background(() => assert(closing.signal.aborted));
  const store = new LoginSessionStore({
    store: tier,
    background,
    closing: closing.signal,
    sealer: createSealer({ secrets, purpose: "t", now }),
    cache: { maxEntries },
    now,
    onEvent: (event) => void events.push(event),
  });
  const session: LoginSession = {
    kind: "login",
    id: "id",
    sandboxId: "box",
    expiresAt: clock.now + 60_000,
  };
  return { clock, events, session, store, background, closing };
}

const ENDED = { state: "ended" } as const;

Deno.test("LoginSessionStore rereads a shared tier when its copy is old, and never an unshared one", async () => {
  for (const shared of [true, false]) {
    const { tier } = createTier(shared);
    const { clock, session, store } = setUp(tier);
    await store.set(session, OPEN);
    await setUp(tier).store.set(session, RENEWED);
    clock.now += RECHECK_MS - 1;
    assert.deepEqual(await store.get("id"), OPEN);
    clock.now += 1;
    assert.deepEqual(await store.get("id"), shared ? RENEWED : OPEN);
  }
});

Deno.test("LoginSessionStore writes a session again that a shared tier has lost, for other gateways, too", async () => {
  for (const ask of ["get", "getLatest"] as const) {
    const { tier, entries } = createTier(true);
    const { clock, session, store } = setUp(tier);
    await store.set(session, OPEN);
    entries.clear();
    clock.now += RECHECK_MS;
    assert.deepEqual(await store[ask]("id"), OPEN);
    assert.deepEqual(await setUp(tier).store.get("id"), OPEN);
  }
});

Deno.test("LoginSessionStore writes what a shared tier has missed once that is there again", async () => {
  const { tier, entries, comeBack } = createTier(true);
  const { background, clock, session, store } = setUp(tier);
  const others = ["made", "renewed", "ended"] as const;
  const [made, renewed, ended] = others.map((id) => ({ ...session, id }));
  assert(made && renewed && ended);
  for (const early of [renewed, ended]) await store.set(early, OPEN);
  clock.now += 1_000;
  const { set } = tier;
  tier.set = () => Promise.resolve(); // from here on, writes are lost
  await store.set(made, OPEN);
  await store.set(renewed, RENEWED);
  await store.set(ended, ENDED);
  tier.set = set;
  comeBack();
  await background.settled();
  assert.equal(entries.size, 3);
  const { store: there } = setUp(tier);
  assert.deepEqual(
    await Promise.all(others.map((id) => there.get(id))),
    [OPEN, RENEWED, ENDED],
  );
});

Deno.test("LoginSessionStore keeps a later renewal of another gateway, and an end, though the tier was away", async () => {
  for (const theirs of [RENEWED, ENDED]) {
    const { tier, comeBack } = createTier(true);
    const ours = setUp(tier);
    await ours.store.set(ours.session, OPEN);
    const other = setUp(tier);
    other.clock.now += 1_000;
    await other.store.set(other.session, theirs);
    comeBack();
    await ours.background.settled();
    assert.deepEqual(await ours.store.get("id"), theirs);
    assert.deepEqual(await setUp(tier).store.get("id"), theirs);
  }
});

Deno.test("LoginSessionStore does not bring back an end that the tier loses, wherever there was a copy", async () => {
  for (const [isBack, isForgotten] of [[false], [true], [true, true]]) {
    const { tier, entries, comeBack } = createTier(true);
    const ours = setUp(tier, { maxEntries: 1 });
    const { background, clock, session, store } = setUp(tier);
    await ours.store.set(session, OPEN);
    assert.deepEqual(await store.get("id"), OPEN);
    await ours.store.set(session, ENDED);
    if (isForgotten) await ours.store.set({ ...session, id: "next" }, OPEN);
    entries.clear();
    if (isBack) comeBack();
    await ours.background.settled();
    await background.settled();
    clock.now += RECHECK_MS;
    assert.deepEqual(await store.get("id"), ENDED);
    assert.deepEqual(await store.getLatest("id"), ENDED);
    const newcomer = await setUp(tier).store.get("id");
    assert.notEqual(newcomer?.state, "open");
  }
});

Deno.test("LoginSessionStore knows of an end that another gateway has told, though the tier is away since", async () => {
  const { tier } = createTier(true);
  const { clock, session, store } = setUp(tier);
  await store.set(session, OPEN);
  await setUp(tier).store.set(session, ENDED);
  tier.get = () => Promise.resolve("unavailable");
  clock.now += RECHECK_MS;
  assert.deepEqual(await store.get("id"), ENDED);
});

Deno.test("LoginSessionStore does not undo an end that comes while a renewed session is written", async () => {
  const { tier } = createTier(true);
  const { session, store } = setUp(tier);
  await store.set(session, OPEN);
  const { set } = tier;
  tier.set = async (...what) => {
    tier.set = set;
    await setUp(tier).store.set(session, ENDED);
    await set(...what);
  };
  await store.set(session, RENEWED);
  assert.deepEqual(await setUp(tier).store.get("id"), ENDED);
});

Deno.test("LoginSessionStore does not undo an end that comes while a session is written again", async () => {
  const { tier, entries } = createTier(true);
  const { clock, session, store } = setUp(tier);
  await store.set(session, OPEN);
  entries.clear();
  const { claim } = tier;
  tier.claim = async (...what) => {
    await setUp(tier).store.set(session, ENDED);
    return await claim(...what);
  };
  clock.now += RECHECK_MS;
  assert.deepEqual(await store.get("id"), ENDED);
});

Deno.test("LoginSessionStore does not say that a session is unknown while others may yet write it again", async () => {
  const { tier, comeBack } = createTier(true);
  const { clock, session, store, background } = setUp(tier);
  assert.equal(await store.get("id"), undefined);
  comeBack();
  await background.settled();
  clock.now += 9_999;
  await assert.rejects(async () => await store.get("id"), {
    code: "session_unavailable",
  });
  const other = setUp(tier);
  await other.store.set(session, OPEN);
  assert.deepEqual(await store.get("id"), OPEN);
  clock.now += 1;
  assert.equal(await store.get("unknown"), undefined);
});

Deno.test("LoginSessionStore asks a tier again that is there again and cannot tell yet, until it can or the gateway closes", async () => {
  for (const closes of [false, true]) {
    using elapsed = fakeClock();
    const { tier, entries, comeBack } = createTier(true);
    const { background, closing, session, store } = setUp(tier);
    await store.set(session, OPEN);
    entries.clear();
    const { get } = tier;
    let reads = 0;
    tier.get = () => {
      reads++;
      return Promise.resolve("unavailable"); // it loads its data
    };
    comeBack();
    await settled();
    assert.equal(reads, 1);
    if (closes) closing.abort();
    else tier.get = get;
    elapsed.pass(RECHECK_MS);
    await background.settled();
    assert.equal(entries.size, closes ? 0 : 1);
  }
});

Deno.test("LoginSessionStore leaves which session was used last as it is when it writes them again", async () => {
  const { tier, entries, comeBack } = createTier(true);
  const { background, session, store } = setUp(tier, { maxEntries: 2 });
  for (const id of ["first", "last"]) {
    await store.set({ ...session, id }, OPEN);
  }
  entries.clear();
  comeBack();
  await background.settled();
  await store.set({ ...session, id: "next" }, OPEN);
  assert.deepEqual(store.peek("last"), OPEN);
  assert.equal(store.peek("first"), undefined);
});

Deno.test("LoginSessionStore does not write a session again that has expired", async () => {
  const { tier, entries, comeBack } = createTier(true);
  const { background, clock, session, store } = setUp(tier);
  await store.set(session, OPEN);
  entries.clear();
  clock.now += 120_000;
  comeBack();
  await background.settled();
  assert.equal(entries.size, 0);
});

Deno.test("LoginSessionStore reads a state from the durable tier that was evicted, or set by another process", async () => {
  const { tier } = createTier(false);
  const first = setUp(tier, { maxEntries: 1 });
  await first.store.set(first.session, OPEN);
  await first.store.set({ ...first.session, id: "other" }, RENEWED);
  assert.equal((await first.store.get("id"))?.state, "open");
  const second = setUp(tier);
  assert.equal((await second.store.get("id"))?.state, "open");
  assert.deepEqual(second.events, ["durable_hit"]);
});

Deno.test("LoginSessionStore keeps a copy of what it reads from a shared tier", async () => {
  const { tier } = createTier(true);
  const first = setUp(tier);
  await first.store.set(first.session, OPEN);
  const { clock, events, store } = setUp(tier);
  await store.get("id");
  clock.now += RECHECK_MS - 1;
  assert.equal((await store.get("id"))?.state, "open");
  clock.now += 1;
  assert.equal((await store.get("id"))?.state, "open");
  assert.deepEqual(events, ["durable_hit", "hit", "durable_hit"]);
});

Deno.test("LoginSessionStore keeps a state in the durable tier until its session expires", async () => {
  const { tier } = createTier(true);
  const { session, store } = setUp(tier);
  await store.set(session, { state: "ended" });
  const other = setUp(tier);
  other.clock.now = session.expiresAt - 1;
  assert.deepEqual(await other.store.get("id"), { state: "ended" });
});

Deno.test("LoginSessionStore serves its copy while the tier cannot be read, and fails without a copy", async () => {
  const { tier } = createTier(true);
  const { clock, events, session, store } = setUp(tier);
  await store.set(session, OPEN);
  tier.get = () => Promise.resolve("unavailable");
  clock.now += RECHECK_MS;
  assert.deepEqual(await store.get("id"), OPEN);
  assert.deepEqual(await store.getLatest("id"), OPEN);
  await assert.rejects(async () => await store.get("unknown"), {
    code: "session_unavailable",
  });
  assert.deepEqual(events, ["stale", "hit", "fill_failed"]);
});

Deno.test("LoginSessionStore serves its copy of an entry that cannot be decoded, but getLatest() does not", async () => {
  const { tier } = createTier(true);
  const { clock, events, session, store } = setUp(tier);
  await store.set(session, OPEN);
  const newer = setUp(tier, { secrets: ["n".repeat(32), "s".repeat(32)] });
  await newer.store.set(session, RENEWED);
  clock.now += RECHECK_MS;
  assert.deepEqual(await store.get("id"), OPEN);
  assert.equal(await store.getLatest("id"), undefined);
  assert.equal(await store.isEndStored("id"), false);
  assert.deepEqual(
    events,
    ["codec_failed", "stale", "codec_failed", "codec_failed"],
  );
});

Deno.test("LoginSessionStore shares one read among concurrent callers, and a state set meanwhile wins", async () => {
  const { tier } = createTier(true);
  const { session, store } = setUp(tier);
  const answer = Promise.withResolvers<StoreLookup>();
  let reads = 0;
  tier.get = () => {
    reads++;
    return answer.promise;
  };
  const pending = Promise.all([store.get("id"), store.get("id")]);
  while (reads === 0) await Promise.resolve();
  await store.set(session, { state: "ended" });
  answer.resolve("absent");
  assert.deepEqual(await pending, [{ state: "ended" }, { state: "ended" }]);
  assert.equal(reads, 1);
});

Deno.test("LoginSessionStore without a durable tier keeps states in process", async () => {
  const { events, session, store } = setUp(null);
  assert.equal(await store.get("id"), undefined);
  await store.set(session, { state: "ended" });
  assert.deepEqual(await store.get("id"), { state: "ended" });
  assert.deepEqual(await store.getLatest("id"), { state: "ended" });
  assert.equal(await store.isEndStored("id"), true);
  assert.deepEqual(events, ["miss", "hit", "hit"]);
});

Deno.test("LoginSessionStore never reopens a session that has ended, though the shared tier lost the write", async () => {
  const { tier } = createTier(true);
  const { session, store } = setUp(tier);
  await store.set(session, OPEN);
  tier.set = () => Promise.resolve(); // from here on, writes are lost
  const asked = store.getLatest("id");
  await store.set(session, { state: "ended" });
  assert.deepEqual(await asked, { state: "ended" });
  assert.deepEqual(await store.getLatest("id"), { state: "ended" });
  assert.deepEqual(await store.get("id"), { state: "ended" });
});
