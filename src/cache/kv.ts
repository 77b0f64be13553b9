import { dirname } from "node:path";
import { createBatches } from "../lib/batches.ts";
import { createGuard } from "./guard.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreFailure,
  StoreKey,
} from "./store.ts";

/** Deno KV refuses longer values, bytes. */
const MAX_VALUE_BYTES = 65_536;

/** Deno KV refuses longer keys, bytes. */
const MAX_KEY_BYTES = 2_048;

/** Deno KV reads 10 keys at once at the most, and as many of the longest values and keys fit into a change's 800 KiB. */
const BATCH = 10;

/** First part of every key: the database may hold more than this cache. */
const NAMESPACE = "porthole";

/** What the store needs of a database: the runtime's own `Deno.Kv` and the `Kv` of `@deno/kv` both have it. */
export interface KvDatabase {
  get(key: readonly string[]): Promise<KvValue>;
  /** Of at most {@linkcode BATCH} keys. */
  getMany(keys: readonly (readonly string[])[]): Promise<readonly KvValue[]>;
  atomic(): KvChange;
  close(): void;
}

/** What a key leads to; both null where nothing is there. */
export interface KvValue {
  readonly value: unknown;
  readonly versionstamp: string | null;
}

/** A change that is made if its check holds. */
export interface KvChange {
  check(
    expected: {
      readonly key: readonly string[];
      readonly versionstamp: string | null;
    },
  ): KvChange;
  set(
    key: readonly string[],
    value: Uint8Array,
    options: { expireIn: number },
  ): KvChange;
  delete(key: readonly string[]): KvChange;
  commit(): Promise<{ readonly ok: boolean }>;
}

type Path = readonly string[];

/** A change to make at one key. */
interface Change {
  readonly path: Path;
  readonly make: (change: KvChange) => KvChange;
}

interface TimedChange extends Change {
  /** Nobody waits for it any more. */
  isOver: boolean;
}

/** Parts of a KV store. */
export interface KvStoreOptions {
  /** Opens the database; tried again with the next operation where it fails. */
  readonly open: () => Promise<KvDatabase>;
  /** Other processes write to it as well. */
  readonly shared: boolean;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onFailure: (failure: StoreFailure) => void;
  /** How long one operation may take, ms. @default {250} */
  readonly deadlineMs?: number;
}

/**
 * Opens a file, `:memory:`, a KV Connect URL or (without `path`) the platform's own database: natively where the
 * runtime can, by `@deno/kv` otherwise.
 */
export async function openKv(path?: string): Promise<KvDatabase> {
  if (path !== undefined && path !== ":memory:" && !URL.canParse(path)) {
    // SQLite makes a file, not the folder that it is in; where that cannot be made, opening tells why.
    await Deno.mkdir(dirname(path), { recursive: true }).catch(() => {});
  }
  if (Deno.openKv !== undefined) return await Deno.openKv(path);
  const kv = await import("@deno/kv");
  return await kv.openKv(path === ":memory:" ? undefined : path);
}

/**
 * A durable store over Deno KV. Its database is opened at once, so that what is wrong with it is reported at the start;
 * the store works without it (`unavailable`) and keeps trying.
 */
export async function openKvStore(
  { open, shared, ...options }: KvStoreOptions,
): Promise<DurableStore> {
  const guard = createGuard({ store: "kv", ...options });
  let opening: Promise<KvDatabase> | undefined;

  function database(): Promise<KvDatabase> {
    return opening ??= open().catch((cause) => {
      opening = undefined;
      throw cause;
    });
  }

  /**
   * Changes one key of a database that others write to. A remote database's client repeats what is not answered for as
   * long as it takes, even once it is closed, so a change goes out only in time, and counts only where nothing was written
   * since: what had to be given up must not undo, minutes later, what others wrote meanwhile.
   */
  async function changeShared(change: TimedChange): Promise<void> {
    const { path, make } = change;
    const kv = await database();
    for (let isMade = false; !isMade;) {
      const { versionstamp } = await kv.get(path);
      if (change.isOver) return;
      const checked = kv.atomic().check({ key: path, versionstamp });
      isMade = (await make(checked).commit()).ok;
    }
  }

  /** Changes keys of a database that is this process's own, in one transaction. */
  async function changeOwn(changes: readonly TimedChange[]): Promise<void[]> {
    const kv = await database();
    const inTime = changes.filter(({ isOver }) => !isOver);
    const all = inTime.reduce((all, { make }) => make(all), kv.atomic());
    if (inTime.length > 0) await all.commit();
    return changes.map(() => {});
  }

  async function readOwn(paths: readonly Path[]): Promise<readonly KvValue[]> {
    return await (await database()).getMany(paths);
  }

  // Most of what an own database takes for a key is the transaction. One that others write to has a check for each key,
  // and the way there is what takes long, which many go at once.
  const changeInBatch = createBatches({ run: changeOwn, max: BATCH });
  const readInBatch = createBatches({ run: readOwn, max: BATCH });

  /** Changes one key. What had to be given up before it was sent is not sent any more. */
  async function change(wanted: Change): Promise<void> {
    const timed: TimedChange = { ...wanted, isOver: false };
    await guard.run(
      () => shared ? changeShared(timed) : changeInBatch(timed),
      undefined,
    );
    timed.isOver = true;
  }

  /** What lies at a key; undefined where that cannot be told. */
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
    await change({ path, make: (change) => change.delete(path) });
  }

  await guard.run(async () => void await database(), undefined);

  return {
    kind: "kv",
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
      // The sweep behind expireIn can be a minute late: it collects garbage, the entry's own times decide.
      const expireIn = Math.ceil(entry.staleUntil - options.now());
      // What cannot be kept must not leave an older value in its place.
      if (value.length > MAX_VALUE_BYTES || expireIn <= 0) return remove(key);
      const path = [NAMESPACE, ...key];
      await change({
        path,
        make: (change) => change.set(path, value, { expireIn }),
      });
    },

    delete: remove,

    close() {
      guard.close();
      opening?.then((kv) => kv.close()).catch(() => {});
      opening = undefined;
    },
  };
}

/** Whether a key is short enough, reckoned generously: three bytes a character, two to end each part. */
function fits(key: StoreKey): boolean {
  let bytes = NAMESPACE.length + 2;
  for (const part of key) bytes += 3 * part.length + 2;
  return bytes <= MAX_KEY_BYTES;
}

/** Entries are stored as the bytes of their JSON: exact size, and the same from every implementation. */
function parseEntry(stored: unknown): StoredEntry | undefined {
  if (!(stored instanceof Uint8Array)) return undefined;
  try {
    const entry = JSON.parse(new TextDecoder().decode(stored));
    const times = [entry.refreshAt, entry.expiresAt, entry.staleUntil];
    if (entry.value === undefined || !times.every(Number.isFinite)) {
      return undefined;
    }
    return entry;
  } catch {
    return undefined;
  }
}
