/** The names of members: in the store, which all gateways share, and whole in the memory of each. */
import { createHash } from "node:crypto";
import type { StoreKey } from "../../cache/store.ts";
import { GatewayError } from "../../errors.ts";
import { loggerFor } from "../../observability/log.ts";
import type { RecordValues } from "../../records/record_values.ts";
import { storedJson, UnreadableValue } from "../../records/stored_json.ts";
import type { KeptName, NameBook, NameEntry } from "./kept_name.ts";
import { ownerKeyOf } from "./name_entries.ts";

/** In so many values, each of some hosts, are all names: no write is of two keys, so that a cluster can keep them. */
const SHARDS = 256;

/** Longest value, bytes: Deno KV takes 64 KiB. */
const MAX_BYTES = 65_000;

/** Longest with names that are more than before: the rest is for changes, by which no name becomes longer by half. */
const MAX_BYTES_WITH_MORE = 0.7 * MAX_BYTES;

/** Most names of one owner in a shard, of about 120: else some chosen hosts would leave others no room to change theirs. */
const MAX_OF_OWNER = 80;

/** How often each shard was written, so that who looks reads the few that have changed. */
const COUNTS: StoreKey = ["names", "versions"];

/** How many shards are read at each look whatever is said of them: writing that may have failed. With a look in 2 s, all are in a minute. */
const SWEPT = 9;

/** Most reads at once. */
const AT_ONCE = 32;

const logger = loggerFor("names");

const NOTHING: NameEntry = { claims: [] };

/** A shard as it was read or written last. */
interface Shard {
  readonly version: string | undefined;
  readonly entries: ReadonlyMap<string, NameEntry>;
}

const NO_NAMES: Shard = { version: undefined, entries: new Map() };

/** A shard in the store. */
interface StoredShard {
  readonly entries: Readonly<Record<string, NameEntry>>;
}

const EMPTY: StoredShard = { entries: {} };

interface SharedNamesOptions {
  readonly values: Pick<RecordValues, "read" | "write">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called with all names whenever some are known to have changed. */
  readonly onChange: (names: Iterable<KeptName>) => void;
}

/** What was read stays known as long as the gateway runs: while the store is away, names lead where they have led. */
export class SharedNames implements NameBook {
  readonly #options: SharedNamesOptions;
  readonly #shards = new Map<number, Shard>();
  /** What {@linkcode COUNTS} said when a shard was read. */
  readonly #seen = new Map<number, number>();
  /** The latest operation on each value: each waits for the one before, as what is older must not be taken for news. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #loaded = Promise.withResolvers<void>();
  #looking: Promise<void> | undefined;
  /** Where the next sweep begins. */
  #sweepAt = 0;
  /** The shards of which the log has told that they cannot be read. */
  readonly #unreadable = new Set<number>();
  /** True if `onChange` has yet to hear of something. */
  #hasNews = false;

  constructor(options: SharedNamesOptions) {
    this.#options = options;
  }

  /** True once all names have been read. */
  get isLoaded(): boolean {
    return this.#shards.size === SHARDS;
  }

  /** Fulfils once {@linkcode isLoaded}. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  entryOf(host: string): NameEntry {
    const entry = this.#shards.get(shardOf(host))?.entries.get(host);
    return this.#current(entry ?? NOTHING);
  }

  ofSandbox(sandboxId: string): readonly KeptName[] {
    return [...this.all()]
      .filter((each) =>
        each.sandboxId === sandboxId && each.state !== "released"
      )
      .sort((one, other) => other.createdAt - one.createdAt);
  }

  *all(): Generator<KeptName> {
    for (const { entries } of this.#shards.values()) {
      for (const entry of entries.values()) {
        const { holder, claims } = this.#current(entry);
        if (holder) yield holder;
        yield* claims;
      }
    }
  }

  countOf(ownerKey: string): number {
    let count = 0;
    for (const each of this.all()) {
      if (ownerKeyOf(each) === ownerKey) count++;
    }
    return count;
  }

  async change(
    host: string,
    change: (entry: NameEntry) => NameEntry,
  ): Promise<NameEntry> {
    const shard = shardOf(host);
    const key = keyOf(shard);
    const changed = await this.#inTurn(key, async () => {
      for (;;) {
        const { version, entries: before } = await this.#read(shard);
        const entry = change(before.get(host) ?? NOTHING);
        const entries = new Map(before).set(host, entry);
        if (isEmpty(entry)) entries.delete(host);
        const maxBytes = roomFor(before, entries);
        const text = entries.size === 0 ? undefined : textOf(entries, maxBytes);
        const write = { key, version, text, ttlMs: Infinity };
        const written = await this.#options.values.write(write);
        if (written === undefined) continue; // somebody else was faster
        this.#keep(shard, { version: text && written, entries });
        return entry;
      }
    }).finally(() => this.#tell());
    await this.#count(shard);
    return changed;
  }

  /** Reads what others may have changed, and all at first; never rejects because of the store, which says why it fails. */
  look(): Promise<void> {
    this.#looking ??= this.#look().catch((error) => {
      if (!(error instanceof GatewayError)) throw error;
    }).finally(() => {
      this.#looking = undefined;
      this.#tell();
      if (this.isLoaded) this.#loaded.resolve();
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const counts = await this.#knownCounts();
    const from = this.#sweepAt;
    this.#sweepAt = (from + SWEPT) % SHARDS;
    const due = counts.flatMap((count, shard) => {
      const isSwept = (shard - from + SHARDS) % SHARDS < SWEPT;
      const isDue = isSwept || !this.#shards.has(shard) ||
        count !== this.#seen.get(shard);
      return isDue ? [shard] : [];
    });
    while (due.length > 0) {
      await Promise.all(
        due.splice(0, AT_ONCE).map(async (shard) => {
          await this.#inTurn(keyOf(shard), () => this.#lookAt(shard));
          this.#seen.set(shard, counts[shard] ?? 0);
        }),
      );
    }
  }

  /** Has others look at a shard; if that fails, they sweep it within a minute. */
  async #count(shard: number): Promise<void> {
    await this.#inTurn(COUNTS, async () => {
      for (let isDone = false; !isDone;) {
        const { counts, version } = await this.#readCounts();
        const count = (counts[shard] ?? 0) + 1;
        const text = JSON.stringify(counts.with(shard, count));
        const write = { key: COUNTS, version, text, ttlMs: Infinity };
        isDone = await this.#options.values.write(write) !== undefined;
      }
    }).catch(() => {});
  }

  /** The counts; those that were seen last if they cannot be read: then the sweep finds what changes. */
  async #knownCounts(): Promise<readonly (number | undefined)[]> {
    try {
      return (await this.#readCounts()).counts;
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error;
      return Array.from(
        { length: SHARDS },
        (_, shard) => this.#seen.get(shard),
      );
    }
  }

  async #readCounts() {
    const found = await this.#options.values.read(COUNTS);
    const known = storedJson<readonly number[]>(COUNTS, found, []);
    const counts = Array.from({ length: SHARDS }, (_, at) => known[at] ?? 0);
    return { counts, version: found?.version };
  }

  /** Reads a shard; one that cannot be read stays what it was, and hides no other. */
  async #lookAt(shard: number): Promise<void> {
    try {
      await this.#read(shard);
      this.#unreadable.delete(shard);
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error;
      if (!this.#shards.has(shard)) this.#keep(shard, NO_NAMES);
      if (this.#unreadable.has(shard)) return;
      this.#unreadable.add(shard);
      logger.error("names unreadable, others are served", {
        reason: error.message,
      });
    }
  }

  /** Reads a shard, without what is over. */
  async #read(shard: number): Promise<Shard> {
    const found = await this.#options.values.read(keyOf(shard));
    const kept = storedJson<StoredShard>(keyOf(shard), found, EMPTY);
    const entries = new Map<string, NameEntry>();
    for (const [host, each] of Object.entries(kept.entries)) {
      const entry = this.#current(each);
      if (!isEmpty(entry)) entries.set(host, entry);
    }
    const read = { version: found?.version, entries };
    this.#keep(shard, read);
    return read;
  }

  #keep(shard: number, { version, entries }: Shard): void {
    const before = this.#shards.get(shard);
    this.#shards.set(shard, { version, entries });
    if (version !== before?.version) this.#hasNews = true;
  }

  #tell(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#options.onChange(this.all());
  }

  /** An entry without what is over. */
  #current({ holder, claims }: NameEntry): NameEntry {
    const now = this.#options.now();
    const lasts = ({ endsAt }: KeptName) => endsAt === null || endsAt > now;
    return {
      ...holder && lasts(holder) && { holder },
      claims: claims.filter(lasts),
    };
  }

  async #inTurn<T>(key: StoreKey, work: () => Promise<T>): Promise<T> {
    const name = String(key);
    const done = (this.#turns.get(name) ?? Promise.resolve()).then(work);
    this.#turns.set(name, done.catch(() => {}));
    return await done;
  }
}

function isEmpty({ holder, claims }: NameEntry): boolean {
  return holder === undefined && claims.length === 0;
}

function keyOf(shard: number): StoreKey {
  return ["names", String(shard)];
}

/** Which shard a host is in, for good: the first byte of its SHA-256. */
function shardOf(host: string): number {
  return createHash("sha256").update(host).digest()[0] ?? 0;
}

/** How long a shard may become, bytes; throws `records_full` if an owner has more there than before, and too many. */
function roomFor(before: Shard["entries"], entries: Shard["entries"]): number {
  const counts = countByOwner(before);
  let maxBytes = MAX_BYTES;
  for (const [owner, count] of countByOwner(entries)) {
    if (count <= (counts.get(owner) ?? 0)) continue;
    if (count > MAX_OF_OWNER) {
      throw new GatewayError("records_full", "An owner's share of a shard");
    }
    maxBytes = MAX_BYTES_WITH_MORE;
  }
  return maxBytes;
}

function countByOwner(entries: Shard["entries"]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { holder, claims } of entries.values()) {
    for (const name of holder ? [holder, ...claims] : claims) {
      const owner = ownerKeyOf(name);
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
  }
  return counts;
}

function textOf(entries: Shard["entries"], maxBytes: number): string {
  const text = JSON.stringify({ entries: Object.fromEntries(entries) });
  const { length } = new TextEncoder().encode(text);
  if (length <= maxBytes) return text;
  throw new GatewayError("records_full", "No room in the shard of the host");
}
