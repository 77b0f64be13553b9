import DataLoader from "dataloader";
import { dirname } from "node:path";
import { setImmediate } from "node:timers";
import { parseJson } from "../lib/parse_json.ts";
import { makeKvFolder } from "../platform/kv_folder.ts";
import { permissionHint } from "../platform/permission_hint.ts";
import { CircuitBreaker } from "./circuit_breaker.ts";
import { KvAnnouncements } from "./kv_announcements.ts";
import {
  BATCH,
  type KvDatabase,
  type KvTransaction,
  type KvValue,
} from "./kv_database.ts";
import {
  type Claim,
  type DurableStore,
  parseStoredEntry,
  type StoredEntry,
  type StoreKey,
  type StoreLookup,
  type StoreOptions,
} from "./store.ts";
import { untilWritten } from "./until_written.ts";

/** The longest value and key that Deno KV accepts. */
const MAX_VALUE_BYTES = 65_536;
const MAX_KEY_BYTES = 2_048;

/** The first part of every key: the database may hold other data as well. */
const NAMESPACE = "porthole";

type Path = readonly string[];

/** A write or deletion of one key. */
interface Mutation {
  readonly path: Path;
  readonly addTo: (transaction: KvTransaction) => KvTransaction;
  /** True once the caller has stopped waiting: the mutation must no longer be sent. */
  isAbandoned: boolean;
}

interface KvStoreOptions extends StoreOptions {
  /** Opens the database; retried with the next operation if it fails. */
  readonly open: () => Promise<KvDatabase>;
  readonly shared: boolean;
}

/**
 * Opens a file, `:memory:`, a KV Connect URL or (without `path`) the platform's own database: natively if the runtime
 * supports it, with `@deno/kv` otherwise.
 * @throws whatever the database's driver throws
 */
export async function openKv(path?: string): Promise<KvDatabase> {
  if (isFile(path)) await makeKvFolder(path);
  if (Deno.openKv !== undefined) {
    return await Deno.openKv(path).catch((cause) => {
      const isRefused = cause instanceof Deno.errors.NotCapable;
      if (!isRefused || !isFile(path)) throw cause;
      // Deno's own message names one of two permissions only.
      const hint = permissionHint(dirname(path), "read", "write");
      throw new Error(`Deno is not allowed to use ${path}: ${hint}`);
    });
  }
  const kv = await import("@deno/kv");
  return await kv.openKv(path === ":memory:" ? undefined : path);
}

function isFile(path: string | undefined): path is string {
  return path !== undefined && path !== ":memory:" && !URL.canParse(path);
}

/**
 * Opens a durable store on Deno KV. The database is opened at once, so that a problem is reported at startup; the store
 * works without it (`unavailable`) and keeps trying to open it.
 */
export async function openKvStore(
  options: KvStoreOptions,
): Promise<DurableStore> {
  const store = new KvStore(options);
  await store.start();
  return store;
}

class KvStore implements DurableStore {
  readonly shared: boolean;
  readonly #options: KvStoreOptions;
  readonly #breaker: CircuitBreaker;
  /** Undefined in a database that only this process uses. */
  readonly #announcements?: KvAnnouncements;
  readonly #listeners: ((message: string) => void)[] = [];
  #opening: Promise<KvDatabase> | undefined;
  #isClosed = false;
  // In a private database, most of the cost of a key is its transaction, so keys are batched. In a shared one, each key
  // needs a check of its own, and most of the cost is the round trip, which concurrent operations make in parallel.
  readonly #mutations = batches((mutations: readonly Mutation[]) =>
    this.#mutatePrivate(mutations)
  );
  readonly #reads = batches(async (paths: readonly Path[]) =>
    await (await this.#database()).getMany(paths)
  );

  constructor(options: KvStoreOptions) {
    const { shared, now } = options;
    this.shared = shared;
    this.#options = options;
    this.#breaker = new CircuitBreaker("kv", options);
    if (!shared) return;
    const database = () => this.#database();
    this.#announcements = new KvAnnouncements({ database, now });
  }

  /** Opens the database, or reports why that failed. */
  async start(): Promise<void> {
    await this.#breaker.run(() => this.#database(), undefined);
  }

  async get(key: StoreKey): Promise<StoreLookup> {
    const path = pathOf(key);
    if (path === undefined) return "absent";
    const found = await this.#breaker.run(
      () => this.#read(path),
      undefined,
      "read",
    );
    if (found === undefined) return "unavailable";
    if (found.value === null) return "absent";
    const entry = parseStoredEntry(parseJson(textOf(found.value)));
    if (entry === undefined) return "unavailable";
    return this.#options.now() < entry.staleUntil ? entry : "absent";
  }

  async set(key: StoreKey, entry: StoredEntry): Promise<void> {
    const path = pathOf(key);
    if (path === undefined) return;
    const value = formatEntry(entry);
    const expireIn = this.#expireIn(entry);
    // An entry that cannot be stored must not leave an older value behind.
    if (value.length > MAX_VALUE_BYTES || expireIn <= 0) {
      return await this.delete(key);
    }
    await this.#mutate(path, (to) => to.set(path, value, { expireIn }));
  }

  async delete(key: StoreKey): Promise<void> {
    const path = pathOf(key);
    if (path === undefined) return;
    await this.#mutate(path, (to) => to.delete(path));
  }

  async claim(key: StoreKey, entry: StoredEntry): Promise<Claim> {
    const path = pathOf(key);
    if (path === undefined) return "unavailable";
    const value = formatEntry(entry);
    const expireIn = Math.max(1, this.#expireIn(entry));
    return await this.#breaker.run(
      async () => {
        const kv = await this.#database();
        const { ok } = await kv.atomic()
          .check({ key: path, versionstamp: null })
          .set(path, value, { expireIn })
          .commit();
        return ok ? "claimed" : "taken";
      },
      "unavailable",
      "write",
    );
  }

  async release(key: StoreKey, entry: StoredEntry): Promise<void> {
    const path = pathOf(key);
    if (path === undefined) return;
    await this.#breaker.run(
      async () => {
        const kv = await this.#database();
        const { value, versionstamp } = await kv.get(path);
        if (textOf(value) !== JSON.stringify(entry)) return;
        await kv.atomic().check({ key: path, versionstamp }).delete(path)
          .commit();
      },
      undefined,
      "write",
    );
  }

  async announce(message: string): Promise<void> {
    const announcements = this.#announcements;
    if (announcements === undefined) return;
    const announced = () => announcements.announce(message);
    await this.#breaker.run(announced, undefined, "write");
  }

  listen(onMessage: (message: string) => void): void {
    if (this.#listeners.push(onMessage) > 1) return;
    this.#announcements?.listen((message) => {
      for (const each of this.#listeners) each(message);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#announcements?.close();
    this.#breaker.close();
    this.#opening?.then((kv) => kv.close()).catch(() => {});
  }

  #database(): Promise<KvDatabase> {
    if (this.#isClosed) return Promise.reject(new Error("The store is closed"));
    return this.#opening ??= this.#options.open().catch((cause) => {
      this.#opening = undefined;
      throw cause;
    });
  }

  /** For a sweep that can be a minute late: it only collects garbage, and the entry's own times decide. */
  #expireIn(entry: StoredEntry): number {
    return Math.ceil(entry.staleUntil - this.#options.now());
  }

  async #read(path: Path): Promise<KvValue> {
    if (!this.shared) return await this.#reads.load(path);
    return await (await this.#database()).get(path);
  }

  /** Mutates one key. If the deadline passes before the mutation was sent, it is not sent. */
  async #mutate(path: Path, addTo: Mutation["addTo"]): Promise<void> {
    const pending: Mutation = { path, addTo, isAbandoned: false };
    const send = this.shared
      ? () => this.#mutateShared(pending)
      : () => this.#mutations.load(pending);
    await this.#breaker.run(send, undefined, "write");
    pending.isAbandoned = true;
  }

  /**
   * A remote database's client retries an unanswered commit indefinitely, even after it was closed. So a mutation is sent
   * only while its caller waits, and checks that nothing was written since: it must not undo that minutes later.
   */
  async #mutateShared(mutation: Mutation): Promise<void> {
    const { path: key, addTo } = mutation;
    const kv = await this.#database();
    await untilWritten(async () => {
      const { versionstamp } = await kv.get(key);
      if (mutation.isAbandoned) return true;
      const checked = kv.atomic().check({ key, versionstamp });
      const { ok } = await addTo(checked).commit();
      return ok || mutation.isAbandoned || undefined;
    });
  }

  async #mutatePrivate(mutations: readonly Mutation[]): Promise<void[]> {
    const kv = await this.#database();
    const pending = mutations.filter(({ isAbandoned }) => !isAbandoned);
    const start: KvTransaction = kv.atomic();
    const transaction = pending.reduce((to, { addTo }) => addTo(to), start);
    if (pending.length > 0) await transaction.commit();
    return mutations.map(() => {});
  }
}

/** Batches the items of one turn of the event loop. No batch waits for another, since one may hang. */
function batches<T, R>(
  run: (items: readonly T[]) => Promise<readonly R[]>,
): DataLoader<T, R> {
  return new DataLoader<T, R>(run, {
    cache: false,
    maxBatchSize: BATCH,
    batchScheduleFn: (start) => void setImmediate(start),
  });
}

/** The key in the database; undefined if it may be too long, at three bytes per character and two to delimit a part. */
function pathOf(key: StoreKey): Path | undefined {
  let bytes = NAMESPACE.length + 2;
  for (const part of key) bytes += 3 * part.length + 2;
  return bytes <= MAX_KEY_BYTES ? [NAMESPACE, ...key] : undefined;
}

/** The text of a stored value; empty for one that is none of ours. */
function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : "";
}

/** An entry is stored as the bytes of its JSON: of known size, and the same in every implementation. */
function formatEntry(entry: StoredEntry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(entry));
}
