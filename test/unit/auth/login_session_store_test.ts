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
import { createSealer } from "../../../src/lib/seal.ts";

const OPEN: OpenState = {
  state: "open",
  accessToken: "first",
  expiresAt: undefined,
};
const RENEWED: OpenState = { ...OPEN, accessToken: "second" };

/** A durable tier in memory, and its entries. */
function createTier(shared: boolean) {
  const entries = new Map<string, StoredEntry>();
  const tier: DurableStore = {
    shared,
    get: (key) => Promise.resolve(entries.get(key.join()) ?? "absent"),
    set: (key, entry) => Promise.resolve(void entries.set(key.join(), entry)),
    delete: (key) => Promise.resolve(void entries.delete(key.join())),
    claim: () => Promise.resolve("unavailable"),
    announce: () => Promise.resolve(),
    listen() {},
    close() {},
  };
  return { tier, entries };
}

/** A store of one gateway on `tier`. */
function setUp(
  tier: DurableStore | null,
  { secrets = ["s".repeat(32)], maxEntries = 10 } = {},
) {
  const clock = { now: 1_000_000_000_500 };
  const now = () => clock.now;
  const events: string[] = [];
  const store = new LoginSessionStore({
    store: tier,
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
  return { clock, events, session, store };
}

Deno.test("LoginSessionStore rereads a shared tier when its copy is old, and never an unshared one", async () => {
  for (const shared of [true, false]) {
    const { tier, entries } = createTier(shared);
    const { clock, session, store } = setUp(tier);
    await store.set(session, OPEN);
    entries.clear();
    clock.now += RECHECK_MS - 1;
    assert.deepEqual(await store.get("id"), OPEN);
    clock.now += 1;
    assert.deepEqual(await store.get("id"), shared ? undefined : OPEN);
  }
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
  await newer.store.set(session, { state: "ended" });
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
