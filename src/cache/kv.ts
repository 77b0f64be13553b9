import { dirname } from "node:path";
import { createBatches } from "../lib/batches.ts";
import { permissionHint } from "../lib/permission_hint.ts";
import { createGuard } from "./circuit_breaker.ts";
import {
  type DurableStore,
  parseStoredEntry,
  type StoredEntry,
  type StoreFailure,
  type StoreKey,
} from "./store.ts";

/** Longest value that Deno KV accepts, bytes. */
const MAX_VALUE_BYTES = 65_536;

/** Longest key that Deno KV accepts, bytes. */
const MAX_KEY_BYTES = 2_048;

/** Deno KV reads at most 10 keys at once; as many of the longest keys and values fit a transaction's 800 KiB. */
const BATCH = 10;

/** The first part of every key: the database may hold other data as well. */
const NAMESPACE = "porthole";

/** The part of a database that the store uses; the runtime's `Deno.Kv` and the `Kv` of `@deno/kv` both implement it. */
export interface KvDatabase {
  get(key: readonly string[]): Promise<KvValue>;
  /** Reads at most {@linkcode BATCH} keys. */
  getMany(keys: readonly (readonly string[])[]): Promise<readonly KvValue[]>;
  atomic(): KvTransaction;
  close(): void;
}

/** A value and its version; both are null if there is no such key. */
export interface KvValue {
  readonly value: unknown;
  readonly versionstamp: string | null;
}

/** A transaction (`Deno.AtomicOperation`), which is committed only if its checks hold. */
export interface KvTransaction {
  check(
    expected: {
      readonly key: readonly string[];
      readonly versionstamp: string | null;
    },
  ): KvTransaction;
  set(
    key: readonly string[],
    value: Uint8Array,
    options: { expireIn: number },
  ): KvTransaction;
  delete(key: readonly string[]): KvTransaction;
  commit(): Promise<{ readonly ok: boolean }>;
}

type Path = readonly string[];

/** A write or deletion of one key. */
interface Mutation {
  readonly path: Path;
  readonly addTo: (transaction: KvTransaction) => KvTransaction;
}

interface PendingMutation extends Mutation {
  /** Whether the caller has stopped waiting: it must no longer be sent. */
  isAbandoned: boolean;
}

/** Dependencies of a KV store. */
export interface KvStoreOptions {
  /** Opens the database; retried with the next operation if it fails. */
  readonly open: () => Promise<KvDatabase>;
  /** Whether other processes write to it as well. */
  readonly shared: boolean;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onFailure: (failure: StoreFailure) => void;
  /** Deadline of one operation, ms. @default {250} */
  readonly deadlineMs?: number;
}

/**
 * Opens a file, `:memory:`, a KV Connect URL or (without `path`) the platform's own database: natively if the runtime
 * supports it, with `@deno/kv` otherwise.
 *
 * @throws whatever the database's driver throws
 */
export async function openKv(path?: string): Promise<KvDatabase> {
  if (isFile(path)) {
    // SQLite creates the file, but not its folder. If the folder cannot be created, opening the file reports why.
    await Deno.mkdir(dirname(path), { recursive: true }).catch(() => {});
  }
  if (Deno.openKv !== undefined) {
    return await Deno.openKv(path).catch((cause) => {
      throw cause instanceof Deno.errors.NotCapable && isFile(path)
        ? new Error(notAllowed(path))
        : cause;
    });
  }
  const kv = await import("@deno/kv");
  return await kv.openKv(path === ":memory:" ? undefined : path);
}

function isFile(path: string | undefined): path is string {
  return path !== undefined && path !== ":memory:" && !URL.canParse(path);
}

/** Deno's own message names one of two permissions only. */
function notAllowed(path: string): string {
  return `Deno is not allowed to use ${path}: ${
    permissionHint(dirname(path), "read", "write")
  }`;
}

/**
 * Opens a durable store on Deno KV. The database is opened at once, so that a problem is reported at startup; the store
 * works without it (`unavailable`) and keeps trying to open it.
 */
export async function openKvStore(
  { open, shared, ...options }: KvStoreOptions,
): Promise<DurableStore> {
  const guard = createGuard({ store: "kv", ...options });
  let opening: Promise<KvDatabase> | undefined;
  let isClosed = false;

  function database(): Promise<KvDatabase> {
    if (isClosed) return Promise.reject(new Error("The store is closed"));
    return opening ??= open().catch((cause) => {
      opening = undefined;
      throw cause;
    });
  }

  /**
   * Mutates one key of a shared database. A remote database's client retries an unanswered commit indefinitely, even
   * after it was closed. So a mutation is sent only while its caller waits, and checks that nothing was written since:
   * one that was abandoned must not undo, minutes later, what others have written meanwhile.
   */
  async function mutateShared(mutation: PendingMutation): Promise<void> {
    const { path, addTo } = mutation;
    const kv = await database();
    for (let isCommitted = false; !isCommitted;) {
      const { versionstamp } = await kv.get(path);
      if (mutation.isAbandoned) return;
      const checked = kv.atomic().check({ key: path, versionstamp });
      isCommitted = (await addTo(checked).commit()).ok;
    }
  }

  /** Mutates keys of a database that only this process uses, in one transaction. */
  async function mutatePrivate(
    mutations: readonly PendingMutation[],
  ): Promise<void[]> {
    const kv = await database();
    const pending = mutations.filter(({ isAbandoned }) => !isAbandoned);
    const transaction = pending.reduce(
      (transaction, { addTo }) => addTo(transaction),
      kv.atomic(),
    );
    if (pending.length > 0) await transaction.commit();
    return mutations.map(() => {});
  }

  async function readPrivate(
    paths: readonly Path[],
  ): Promise<readonly KvValue[]> {
    return await (await database()).getMany(paths);
  }

  // In a private database, most of the cost of a key is its transaction, so keys are batched. In a shared one, each key
  // needs a check of its own, and most of the cost is the round trip, which concurrent operations make in parallel.
  const mutateInBatch = createBatches({ run: mutatePrivate, max: BATCH });
  const readInBatch = createBatches({ run: readPrivate, max: BATCH });

  /** Mutates one key. If the deadline passes before the mutation was sent, it is not sent. */
  async function mutate(mutation: Mutation): Promise<void> {
    const pending: PendingMutation = { ...mutation, isAbandoned: false };
    await guard.run(
      () => shared ? mutateShared(pending) : mutateInBatch(pending),
      undefined,
    );
    pending.isAbandoned = true;
  }

  /** The value of a key; undefined if the database does not answer. */
  function read(path: Path): Promise<KvValue | undefined> {
    return guard.run<KvValue | undefined>(
      shared
        ? async () => await (await database()).get(path)
        : () => readInBatch(path),
      undefined,
    );
  }

  async function remove(key: StoreKey): Promise<void> {
    if (!fits(key)) return;
    const path = [NAMESPACE, ...key];
    await mutate({
      path,
      addTo: (transaction) => transaction.delete(path),
    });
  }

  await guard.run(async () => void await database(), undefined);

  return {
    shared,

    async get(key) {
      if (!fits(key)) return "absent";
      const found = await read([NAMESPACE, ...key]);
      if (found === undefined) return "unavailable";
      if (found.value === null) return "absent";
      const entry = parseEntry(found.value);
      if (entry === undefined) return "unavailable";
      return options.now() < entry.staleUntil ? entry : "absent";
    },

    async set(key, entry) {
      if (!fits(key)) return;
      const value = new TextEncoder().encode(JSON.stringify(entry));
      // The sweep behind expireIn can be a minute late: it only collects garbage, and the entry's own times decide.
      const expireIn = Math.ceil(entry.staleUntil - options.now());
      // An entry that cannot be stored must not leave an older value behind.
      if (value.length > MAX_VALUE_BYTES || expireIn <= 0) return remove(key);
      const path = [NAMESPACE, ...key];
      await mutate({
        path,
        addTo: (transaction) => transaction.set(path, value, { expireIn }),
      });
    },

    delete: remove,

    close() {
      if (isClosed) return;
      isClosed = true;
      guard.close();
      opening?.then((kv) => kv.close()).catch(() => {});
    },
  };
}

/** Whether a key is short enough, by an upper bound: three bytes per character, and two to delimit each part. */
function fits(key: StoreKey): boolean {
  let bytes = NAMESPACE.length + 2;
  for (const part of key) bytes += 3 * part.length + 2;
  return bytes <= MAX_KEY_BYTES;
}

/** Reads an entry, which is stored as the bytes of its JSON: of known size, and the same in every implementation. */
function parseEntry(stored: unknown): StoredEntry | undefined {
  if (!(stored instanceof Uint8Array)) return undefined;
  try {
    return parseStoredEntry(JSON.parse(new TextDecoder().decode(stored)));
  } catch {
    return undefined;
  }
}
