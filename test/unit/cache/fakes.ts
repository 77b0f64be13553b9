import { setImmediate as turn } from "node:timers/promises";
import type {
  KvDatabase,
  KvTransaction,
} from "../../../src/cache/kv_database.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreFailure,
  StoreKey,
} from "../../../src/cache/store.ts";

/** A clock that a test sets. */
export interface ManualClock {
  time: number;
  now(): number;
}

export function manualClock(start = 1_700_000_000_000): ManualClock {
  return {
    time: start,
    now() {
      return this.time;
    },
  };
}

/** Resolves when all pending callbacks of promises have run. */
export async function settled(): Promise<void> {
  await turn();
}

/** A durable store in a map, which a test can pause, break, or change directly. */
export interface FakeStore {
  readonly store: DurableStore;
  readonly entries: Map<string, StoredEntry>;
  /** Every operation, in order: `get kind/part`. */
  readonly calls: string[];
  /** Whether each `set` was to depend on the key's presence, in order. */
  readonly conditions: boolean[];
  broken: boolean;
  /** True if the source deletes from it what has changed. */
  tellsChanges: boolean;
  /** Every operation waits for it first. */
  gate: Promise<void>;
}

export function fakeStore({ shared = false } = {}): FakeStore {
  const entries = new Map<string, StoredEntry>();
  const calls: string[] = [];
  const conditions: boolean[] = [];
  async function begin(operation: string, key: StoreKey): Promise<string> {
    const name = key.join("/");
    calls.push(`${operation} ${name}`);
    await fake.gate;
    return name;
  }
  const store: DurableStore = {
    shared,
    tellsChanges: () => Promise.resolve(fake.tellsChanges),
    async get(key) {
      const name = await begin("get", key);
      return fake.broken ? "unavailable" : entries.get(name) ?? "absent";
    },
    async set(key, entry, { ifPresent = false } = {}) {
      conditions.push(ifPresent);
      const name = await begin("set", key);
      if (!fake.broken) entries.set(name, entry);
    },
    async delete(key) {
      const name = await begin("delete", key);
      if (!fake.broken) entries.delete(name);
    },
    async claim(key, entry) {
      const name = await begin("claim", key);
      if (fake.broken) return "unavailable";
      if (entries.has(name)) return "taken";
      entries.set(name, entry);
      return "claimed";
    },
    async release(key, entry) {
      const name = await begin("release", key);
      const held = JSON.stringify(entries.get(name));
      if (!fake.broken && held === JSON.stringify(entry)) entries.delete(name);
    },
    announce: () => Promise.resolve(),
    listen() {},
    close() {},
  };
  const fake: FakeStore = {
    store,
    entries,
    calls,
    conditions,
    broken: false,
    tellsChanges: false,
    gate: Promise.resolve(),
  };
  return fake;
}

/** A KV database that answers every operation with `answer()` and counts the calls. */
export interface FakeKv {
  readonly kv: KvDatabase;
  calls: number;
  closed: number;
}

export function fakeKv(answer: () => Promise<never>): FakeKv {
  function call(): Promise<never> {
    fake.calls++;
    return answer();
  }
  const kv: KvDatabase = {
    get: call,
    getMany: call,
    atomic: () => fakeTransaction(call),
    watch: () => new ReadableStream(),
    close: () => void fake.closed++,
  };
  const fake: FakeKv = { kv, calls: 0, closed: 0 };
  return fake;
}

/** A transaction that only commits; `note` is called with each operation that is added to it. */
export function fakeTransaction(
  commit: () => Promise<{ readonly ok: boolean }>,
  note: (...parameters: readonly unknown[]) => void = () => {},
): KvTransaction {
  function part(name: string) {
    return (...parameters: readonly unknown[]) => {
      note(name, ...parameters);
      return transaction;
    };
  }
  const transaction: KvTransaction = {
    check: part("check"),
    set: part("set"),
    delete: part("delete"),
    commit,
  };
  return transaction;
}

/** A KV database for a single value; commits wait for `commitGate`, and succeed only if their check holds. */
export interface OneValueKv {
  readonly kv: KvDatabase;
  value: unknown;
  /** Every read waits for it. */
  readGate: Promise<void>;
  /** Every commit waits for it. */
  commitGate: Promise<void>;
  commits: number;
}

export function oneValueKv(): OneValueKv {
  let version = 0;
  async function get() {
    await fake.readGate;
    return { value: fake.value, versionstamp: String(version) };
  }
  const kv: KvDatabase = {
    get,
    getMany: (keys) => Promise.all(keys.map(get)),
    atomic() {
      let next: unknown;
      let expected: unknown;
      return fakeTransaction(async () => {
        fake.commits++;
        await fake.commitGate;
        if (expected !== String(version)) return { ok: false };
        version++;
        fake.value = next;
        return { ok: true };
      }, (name, ...parameters) => {
        if (name === "set") next = parameters[1];
        if (name === "delete") next = null;
        if (name !== "check") return;
        ({ versionstamp: expected } = Object(parameters[0]));
      });
    },
    watch: () => new ReadableStream(),
    close() {},
  };
  const fake: OneValueKv = {
    kv,
    value: null,
    readGate: Promise.resolve(),
    commitGate: Promise.resolve(),
    commits: 0,
  };
  return fake;
}

/** Collects reported failures. */
export interface FailureLog {
  readonly failures: StoreFailure[];
  readonly onFailure: (failure: StoreFailure) => void;
}

export function failureLog(): FailureLog {
  const failures: StoreFailure[] = [];
  return { failures, onFailure: (failure) => void failures.push(failure) };
}
