import { openKv as openNpmKv } from "@deno/kv";
import {
  deepStrictEqual as deepEqual,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { openKv, openKvStore } from "../../../src/cache/kv.ts";
import type { KvDatabase } from "../../../src/cache/kv_database.ts";
import type { StoredEntry, StoreKey } from "../../../src/cache/store.ts";
import {
  failureLog,
  fakeKv,
  fakeTransaction,
  manualClock,
  oneValueKv,
  settled,
} from "./fakes.ts";
import { entryAt, fulfilsContract } from "./store_contract.ts";

const KEY: StoreKey = ["runner", "sandbox-1"];

async function setUp(
  open: () => Promise<KvDatabase>,
  { shared = false, deadlineMs = open === hanging ? 1 : 10_000 } = {},
) {
  const clock = manualClock(Date.now());
  const log = failureLog();
  const store = await openKvStore({
    open,
    shared,
    now: () => clock.now(),
    onFailure: log.onFailure,
    // Long enough for a real database on a busy machine, and no wait for a fake one that hangs.
    deadlineMs,
  });
  return {
    clock,
    store,
    entry: (value: StoredEntry["value"]) => entryAt(clock.time, value),
    failures: log.failures,
    [Symbol.dispose]: () => store.close(),
  };
}

const hangingKv = fakeKv(() => new Promise(() => {}));
const hanging = () => Promise.resolve(hangingKv.kv);

async function temporaryFile(): Promise<string> {
  await Deno.mkdir("./data/test", { recursive: true });
  return await Deno.makeTempFile({ dir: "./data/test", suffix: ".sqlite" });
}

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ["", "-shm", "-wal"]) {
    await Deno.remove(path + suffix).catch(() => {});
  }
}

/** The implementations that the suite runs on; without the option, `@deno/kv` would delegate to the native one. */
const IMPLEMENTATIONS: Record<string, (path: string) => Promise<KvDatabase>> = {
  "native memory": () => openKv(":memory:"),
  "native file": (path) => openKv(path),
  "@deno/kv in memory": () => openNpmKv("", { implementation: "in-memory" }),
};

const CASES = Object.entries(IMPLEMENTATIONS).flatMap(([name, open]) => [
  { name, open, shared: false },
  { name: `${name}, shared`, open, shared: true },
]);

for (const { name, open, shared } of CASES) {
  Deno.test(`openKvStore() on ${name}`, async (t) => {
    const path = await temporaryFile();
    try {
      using setup = await setUp(() => open(path), { shared });
      const { store, entry, failures } = setup;

      await fulfilsContract(t, setup);

      await t.step(
        "set() stores the largest value, and deletes the earlier one for a larger value",
        async () => {
          const overhead = JSON.stringify(entry("")).length;
          const largest = entry("x".repeat(65_536 - overhead));
          await store.set(KEY, largest);
          deepEqual(await store.get(KEY), largest);
          await store.set(KEY, entry("x".repeat(65_537 - overhead)));
          equal(await store.get(KEY), "absent");
        },
      );

      await t.step(
        "many large values can be set, read and deleted at once",
        async () => {
          const many = Array.from({ length: 25 }, (_, at) => ({
            key: ["many", `${at}`] as const,
            stored: entry(`${at}`.padEnd(60_000, "x")),
          }));
          await Promise.all(
            many.map(({ key, stored }) => store.set(key, stored)),
          );
          deepEqual(
            await Promise.all(many.map(({ key }) => store.get(key))),
            many.map(({ stored }) => stored),
          );
          await Promise.all(many.map(({ key }) => store.delete(key)));
          deepEqual(
            await Promise.all(many.map(({ key }) => store.get(key))),
            many.map(() => "absent"),
          );
        },
      );

      await t.step("a key that is too long is never stored", async () => {
        const long: StoreKey = ["runner", "x".repeat(3_000)];
        await store.set(long, entry(1));
        equal(await store.get(long), "absent");
        await store.delete(long);
      });

      deepEqual(failures, []);
    } finally {
      await removeDatabase(path);
    }
  });
}

Deno.test("openKv() says which permissions the file needs", async () => {
  await rejects(
    openKv("/elsewhere/cache.db"),
    /not allowed to use \/elsewhere\/cache\.db: start it with deno run -P=start --allow-read=\.\/data,\/elsewhere --allow-write=\.\/data,\/elsewhere /,
  );
});

Deno.test("openKvStore() keeps a file's entries for the next process", async () => {
  const path = await temporaryFile();
  try {
    using first = await setUp(() => openKv(path));
    const stored = first.entry("kept");
    await first.store.set(KEY, stored);
    first.store.close();
    using second = await setUp(() => openKv(path));
    deepEqual(await second.store.get(KEY), stored);
  } finally {
    await removeDatabase(path);
  }
});

Deno.test("set() writes under the store's namespace, with expireIn up to staleUntil", async () => {
  const written: unknown[] = [];
  const { kv } = oneValueKv();
  using setup = await setUp(() =>
    Promise.resolve({
      ...kv,
      atomic: () =>
        fakeTransaction(
          () => Promise.resolve({ ok: true }),
          (name, key, _value, options) =>
            name === "set" && written.push(key, options),
        ),
    })
  );
  await setup.store.set(KEY, setup.entry(1));
  deepEqual(written, [["porthole", ...KEY], { expireIn: 720_000 }]);
});

Deno.test("get() is unavailable for a value in a foreign format", async () => {
  const good = { value: 1, refreshAt: 1, expiresAt: 2, staleUntil: 1e15 };
  const cases = [
    "text",
    { ...good },
    new TextEncoder().encode("{"),
    new TextEncoder().encode("null"),
    new TextEncoder().encode(JSON.stringify({ ...good, expiresAt: "soon" })),
    new TextEncoder().encode(JSON.stringify({ ...good, value: undefined })),
    new Uint8Array([0xff, 0xfe]),
  ];
  for (const value of cases) {
    const { kv } = fakeKv(() => Promise.reject());
    using setup = await setUp(() =>
      Promise.resolve({
        ...kv,
        getMany: () => Promise.resolve([{ value, versionstamp: null }]),
      })
    );
    equal(await setup.store.get(KEY), "unavailable");
    deepEqual(setup.failures, []);
  }
});

Deno.test("a store whose database hangs is unavailable and reports one timeout", async () => {
  using setup = await setUp(hanging);
  const { store, entry, failures } = setup;
  equal(await store.get(KEY), "unavailable");
  await store.set(KEY, entry(1));
  await store.delete(KEY);
  equal(await store.claim(KEY, entry(1)), "unavailable");
  equal(hangingKv.calls, 3); // the fourth was not tried
  deepEqual(failures.map(({ reason }) => reason), ["timeout"]);
});

Deno.test("a store whose database is locked is unavailable and reports that once", async () => {
  const failing = fakeKv(() =>
    Promise.reject(new TypeError("database is locked"))
  );
  using setup = await setUp(() => Promise.resolve(failing.kv));
  const { store, entry, failures } = setup;
  equal(await store.claim(KEY, entry(1)), "unavailable");
  await store.set(KEY, entry(1));
  await store.delete(KEY);
  deepEqual(
    failures.map(({ store, reason }) => [store, reason]),
    [["kv", "locked"]],
  );
});

Deno.test("set() that timed out does not later overwrite a newer value", async () => {
  const database = oneValueKv();
  const open = () => Promise.resolve(database.kv);
  using hasty = await setUp(open, { shared: true, deadlineMs: 1 });
  using other = await setUp(open, { shared: true });
  const newer = other.entry("newer");

  const repeating = Promise.withResolvers<void>();
  database.commitGate = repeating.promise;
  await hasty.store.set(KEY, hasty.entry("older"));
  equal(database.commits, 1);
  database.commitGate = Promise.resolve();
  await other.store.set(KEY, newer);
  repeating.resolve();
  await settled();
  deepEqual(await other.store.get(KEY), newer);
  deepEqual(hasty.failures.map(({ reason }) => reason), ["timeout"]);
});

Deno.test("set() that timed out before it was sent is never sent", async () => {
  const database = oneValueKv();
  using setup = await setUp(() => Promise.resolve(database.kv), {
    shared: true,
    deadlineMs: 1,
  });
  const reading = Promise.withResolvers<void>();
  database.readGate = reading.promise;
  await setup.store.set(KEY, setup.entry("older"));
  reading.resolve();
  await settled();
  equal(database.commits, 0);
});

Deno.test("set() that timed out while the database opened is never sent", async () => {
  for (const shared of [false, true]) {
    const database = oneValueKv();
    const opening = Promise.withResolvers<KvDatabase>();
    const store = await openKvStore({
      open: () => opening.promise,
      shared,
      now: Date.now,
      onFailure() {},
      deadlineMs: 1,
    });
    const time = Date.now() + 60_000;
    const times = { refreshAt: time, expiresAt: time, staleUntil: time };
    await store.set(KEY, { value: 1, ...times });
    opening.resolve(database.kv);
    await settled();
    equal(database.commits, 0);
    store.close();
  }
});

Deno.test("get() of many keys from a database that hangs takes one deadline", async () => {
  const hanging = fakeKv(() => new Promise(() => {}));
  using setup = await setUp(() => Promise.resolve(hanging.kv), {
    deadlineMs: 1,
  });
  const { store, clock, failures } = setup;
  const keys = Array.from(
    { length: 25 },
    (_, at): StoreKey => ["many", `${at}`],
  );
  const looks = Promise.all(keys.map((key) => store.get(key)));
  clock.time += 1;
  const found = await looks;
  deepEqual(new Set(found), new Set(["unavailable"]));
  equal(hanging.calls, 3);
  equal(failures.length, 1);
  await store.get(KEY);
  equal(hanging.calls, 4); // one stall is one failure, so it was tried again
});

Deno.test("of two concurrent writers the later one wins", async () => {
  const database = oneValueKv();
  const open = () => Promise.resolve(database.kv);
  using first = await setUp(open, { shared: true });
  using second = await setUp(open, { shared: true });
  const entry = second.entry("second");
  await Promise.all([
    first.store.set(KEY, first.entry("first")),
    second.store.set(KEY, entry),
  ]);
  deepEqual(await first.store.get(KEY), entry);
  equal(database.commits, 3); // the second one's first commit failed its check
  await Promise.all([
    first.store.set(KEY, first.entry("first")),
    second.store.delete(KEY),
  ]);
  equal(await first.store.get(KEY), "absent");
});

Deno.test("openKvStore() reports at once that the database cannot be opened, and tries again later", async () => {
  let attempts = 0;
  using setup = await setUp(async () => {
    if (++attempts < 3) throw new Error("unable to open database file");
    return await openKv(":memory:");
  });
  const { store, entry, failures } = setup;
  deepEqual(failures.map(({ reason }) => reason), ["error"]);
  equal(await store.get(KEY), "unavailable");
  await store.set(KEY, entry(1));
  deepEqual(await store.get(KEY), entry(1));
  equal(attempts, 3);
});

Deno.test("close() closes the database once, even if it opens only later", async () => {
  const opening = Promise.withResolvers<KvDatabase>();
  const late = fakeKv(() => Promise.reject());
  const log = failureLog();
  const store = await openKvStore({
    open: () => opening.promise,
    shared: true,
    now: Date.now,
    onFailure: log.onFailure,
    deadlineMs: 1,
  });
  equal(store.shared, true);
  store.close();
  store.close();
  equal(await store.get(KEY), "unavailable");
  equal(late.closed, 0);
  opening.resolve(late.kv);
  await settled();
  equal(late.closed, 1);
  equal(late.calls, 0);
});

Deno.test("an operation after close() does not open the database again", async () => {
  let opened = 0;
  const store = await openKvStore({
    async open() {
      opened++;
      return await openKv(":memory:");
    },
    shared: false,
    now: Date.now,
    onFailure() {},
    deadlineMs: 10_000,
  });
  const lookup = store.get(KEY);
  store.close();
  equal(await lookup, "unavailable");
  equal(await store.get(KEY), "unavailable");
  equal(opened, 1);
});
