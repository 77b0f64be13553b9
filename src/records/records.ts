import { SingleFlight } from "../cache/single_flight.ts";
import type { StoreKey } from "../cache/store.ts";
import { ExpiringLru } from "../lib/lru.ts";
import { RecordValues, type RecordValuesOptions } from "./record_values.ts";
import { storedJson } from "./stored_json.ts";
import type {
  Precondition,
  RecordPage,
  StoredRecord,
  VersionedRecord,
} from "./stored_record.ts";
import type { VersionedValue } from "./versioned_values.ts";

/** Most records of one kind for each sandbox, and for each organization. */
const CAPS = [100, 10_000];

/** Most records of a page. */
const PAGE = 50;

/** Time for which a record is not read again, ms. */
const FRESH_MS = 5_000;

/** Time for which a record that was read is still given while the database is away, ms. */
const KEPT_MS = 3_600_000;

/** An organization's list is in so many parts by age, as a value in Deno KV may have 64 KiB; prime, for round times. */
const PARTS = 31;

/** How many of an organization's records are looked at for ones whose sandboxes are gone. */
const LOOKED_AT = 20;

/** Time for which nothing is looked for where nothing was found, ms. */
const NOT_LOOKED_MS = 60_000;

/** Undefined if there was no such record. */
type Reading = { readonly found: VersionedRecord | undefined };

/** A record in a list. */
type Listed = Pick<StoredRecord, "id" | "createdAt" | "expiresAt">;

interface RecordsOptions extends RecordValuesOptions {
  /** Most records in memory. */
  readonly maxEntries: number;
  readonly caps?: typeof CAPS;
}

/** What lists the records of a kind. */
interface StoredList {
  readonly listed: readonly Listed[];
}

/**
 * What members have granted, of all kinds. No write is of two keys, so that a cluster can keep them: a record is written
 * before it is listed, and what is listed only is taken out.
 * @throws {GatewayError} `records_unavailable` if the database does not answer in time, or there is none
 */
export class Records {
  readonly #options: RecordsOptions;
  /** Their database, for what is kept there in another form. */
  readonly values: RecordValues;
  /** What was read in the last seconds, and what was not there. */
  readonly #fresh: ExpiringLru<string, Reading>;
  /** What was read in the last hour; made-up ids push nothing out of it. */
  readonly #kept: ExpiringLru<string, Reading>;
  readonly #reads = new SingleFlight<Reading>();
  /** The lists that no room was found in lately. */
  readonly #packed: ExpiringLru<string, true>;

  constructor(options: RecordsOptions) {
    const { maxEntries: max } = options;
    this.#options = options;
    this.values = new RecordValues(options);
    this.#fresh = new ExpiringLru({ max, ttlMs: FRESH_MS });
    this.#kept = new ExpiringLru({ max, ttlMs: KEPT_MS });
    this.#packed = new ExpiringLru({ max, ttlMs: NOT_LOOKED_MS });
  }

  /** False if nothing is kept: whatever needs records is off then. */
  get isOn(): boolean {
    return this.values.isOn;
  }

  /**
   * A record as it was 5 s ago at most; while the database is away, as it was read in the last hour. Of an id that
   * nobody has asked for lately, `beforeRead` is called first, which may throw.
   */
  async get(
    kind: string,
    id: string,
    beforeRead?: () => void,
  ): Promise<VersionedRecord | undefined> {
    const name = String(["record", kind, id]);
    if (!this.#fresh.has(name) && !this.#kept.has(name)) beforeRead?.();
    const { found } = this.#fresh.get(name) ??
      await this.#reads.share(name, async (isCurrent) => {
        const start = performance.now();
        const reading = { found: await this.#find(kind, id) };
        if (!isCurrent()) return reading; // it was written meanwhile
        this.#fresh.set(name, reading, { start });
        if (reading.found) this.#kept.set(name, reading, { start });
        else this.#kept.delete(name);
        return reading;
      }).catch((error) => {
        const kept = this.#kept.get(name);
        if (kept) return kept;
        throw error;
      });
    return found && this.#isOver(found.record) ? undefined : found;
  }

  /** Writes a record; `full` if there are 100 of that kind for its sandbox, or 10,000 for its organization. */
  async put(
    kind: string,
    record: StoredRecord,
    when: Precondition,
  ): Promise<{ readonly etag: string } | "conflict" | "full"> {
    const key: StoreKey = ["record", kind, record.id];
    const stored = await this.values.read(key);
    const before = this.#current(key, stored);
    const expected = when === "absent" ? undefined : when.etag;
    this.#forget(key);
    if (before?.etag !== expected) return "conflict";
    const etag = await this.#write(key, record, stored?.version);
    if (etag === undefined) return "conflict";
    if (before && placeOf(before.record) === placeOf(record)) return { etag };
    if (await this.#enlist(kind, record)) return { etag };
    await this.#write(key, before?.record, etag); // nobody was told of it
    const former = before ? listsOf(kind, before.record) : [];
    const kept = former.map(([key]) => String(key));
    for (const [key] of listsOf(kind, record)) {
      if (!kept.includes(String(key))) await this.#unlist(key, record);
    }
    return "full";
  }

  /**
   * Where a record's organization has as many as it may have, takes from its list a few whose sandboxes are gone, says
   * `isGone`, so that they do not count; false if there were none. It may be wrong: they stay as long as they last.
   */
  async makeRoom(
    kind: string,
    record: StoredRecord,
    isGone: (sandboxId: string) => Promise<boolean>,
  ): Promise<boolean> {
    const name = String([kind, record.organizationId]);
    if (this.#packed.has(name)) return false;
    const [, keys = []] = listsOf(kind, record);
    const parts = await Promise.all(keys.map(async (key) => {
      const { listed } = await this.#list(key);
      return listed.map((each) => ({ key, each }));
    }));
    const all = parts.flat();
    const [, cap = 0] = this.#options.caps ?? CAPS;
    if (all.length < cap) return false;
    const some = all.map((one) => ({ ...one, at: Math.random() }))
      .sort((one, other) => one.at - other.at).slice(0, LOOKED_AT);
    const freed = await Promise.all(some.map(async ({ key, each }) => {
      const found = await this.#find(kind, each.id);
      if (found && !await isGone(found.record.sandboxId)) return false;
      await this.#unlist(key, each);
      return true;
    }));
    if (!freed.includes(true)) this.#packed.set(name, true);
    return freed.includes(true);
  }

  /** False if there was none, or if it is not wanted as it is by then. */
  async delete(
    kind: string,
    id: string,
    isWanted: (found: VersionedRecord) => boolean = () => true,
  ): Promise<boolean> {
    const key: StoreKey = ["record", kind, id];
    for (;;) {
      const found = await this.#find(kind, id);
      this.#forget(key);
      if (!found || !isWanted(found)) return false;
      const { record, etag } = found;
      if (await this.#write(key, undefined, etag) === undefined) continue;
      for (const [key] of listsOf(kind, record)) {
        await this.#unlist(key, record);
      }
      return true;
    }
  }

  /** Those of a sandbox from `cursor` on, as they are now. */
  async list(
    kind: string,
    sandboxId: string,
    cursor?: string,
  ): Promise<RecordPage> {
    const key: StoreKey = ["sandbox-records", kind, sandboxId];
    const { listed } = await this.#list(key);
    const all: VersionedRecord[] = [];
    await Promise.all(listed.map(async (each) => {
      const found = await this.#find(kind, each.id);
      if (found?.record.sandboxId === sandboxId) all.push(found);
      else await this.#unlist(key, each);
    }));
    const rest = all
      .filter((each) => cursor === undefined || positionOf(each) < cursor)
      .sort((one, other) => positionOf(one) < positionOf(other) ? 1 : -1);
    const items = rest.slice(0, PAGE);
    const last = rest.length > PAGE ? items.at(-1) : undefined;
    return { items, next: last && positionOf(last) };
  }

  /** Why records may be lost, in words for operators. */
  doubts(): Promise<readonly string[]> {
    return this.values.doubts();
  }

  close(): void {
    this.values.close();
  }

  /** Has a record read again. */
  #forget(key: StoreKey): void {
    const name = String(key);
    for (const memory of [this.#fresh, this.#kept]) memory.delete(name);
    this.#reads.forget(name);
  }

  async #find(kind: string, id: string): Promise<VersionedRecord | undefined> {
    const key: StoreKey = ["record", kind, id];
    return this.#current(key, await this.values.read(key));
  }

  #current(
    key: StoreKey,
    value: VersionedValue | undefined,
  ): VersionedRecord | undefined {
    if (value === undefined) return undefined;
    const record = storedJson<Partial<StoredRecord>>(
      key,
      value,
      {},
    ) as StoredRecord;
    return this.#isOver(record) ? undefined : { record, etag: value.version };
  }

  /** A database may forget that late. */
  #isOver({ expiresAt }: Pick<StoredRecord, "expiresAt">): boolean {
    return expiresAt !== null && expiresAt <= this.#options.now();
  }

  /** Lists a record with its sandbox and its organization; false if one of them has too many. */
  async #enlist(kind: string, record: StoredRecord): Promise<boolean> {
    const { id, createdAt, expiresAt } = record;
    const caps = this.#options.caps ?? CAPS;
    for (const [at, [key, ...others]] of listsOf(kind, record).entries()) {
      const parts = await Promise.all(others.map((each) => this.#list(each)));
      const taken = parts.reduce((sum, { listed }) => sum + listed.length, 0);
      const room = (caps[at] ?? 0) - taken;
      const isListed = await this.#change(key, (listed) => {
        const rest = listed.filter((each) => each.id !== id);
        const all = [...rest, { id, createdAt, expiresAt }];
        return rest.length < room ? all : undefined;
      });
      if (!isListed) return false;
    }
    return true;
  }

  /** Takes a record out of a list; one that was made anew under its id stays. */
  async #unlist(key: StoreKey, { id, createdAt }: Listed): Promise<void> {
    const isOther = (each: Listed) =>
      each.id !== id || each.createdAt !== createdAt;
    await this.#change(key, (listed) => listed.filter(isOther));
  }

  /** Changes a list as it is by then; false if `change` has it stay. */
  async #change(
    key: StoreKey,
    change: (listed: readonly Listed[]) => readonly Listed[] | undefined,
  ): Promise<boolean> {
    for (;;) {
      const before = await this.#list(key);
      const listed = change(before.listed);
      if (listed === undefined) return false;
      const ends = listed.map((each) => each.expiresAt ?? Infinity);
      const expiresAt = Math.max(...ends);
      const value = listed.length === 0 ? undefined : { listed, expiresAt };
      if (await this.#write(key, value, before.version)) return true;
    }
  }

  async #list(key: StoreKey) {
    const found = await this.values.read(key);
    const { listed } = storedJson<StoredList>(key, found, { listed: [] });
    return {
      listed: listed.filter((each) => !this.#isOver(each)),
      version: found?.version,
    };
  }

  async #write(
    key: StoreKey,
    value: Pick<StoredRecord, "expiresAt"> | undefined,
    version: string | undefined,
  ): Promise<string | undefined> {
    const text = value && JSON.stringify(value);
    const leftMs = (value?.expiresAt ?? Infinity) - this.#options.now();
    const write = { key, text, version, ttlMs: Math.max(1, Math.ceil(leftMs)) };
    const written = await this.values.write(write);
    this.#forget(key);
    return written;
  }
}

/** The lists that a record is in: of each its part, and then the others. */
function listsOf(
  kind: string,
  { sandboxId, organizationId, createdAt }: StoredRecord,
): (readonly [StoreKey, ...StoreKey[]])[] {
  const ofSandbox = [["sandbox-records", kind, sandboxId]] as const;
  if (organizationId === null) return [ofSandbox];
  const list = ["organization-records", kind, organizationId] as const;
  const parts = Array.from({ length: PARTS }, (_, at) => String(at));
  const [own = ""] = parts.splice(createdAt % PARTS, 1);
  return [ofSandbox, [
    [...list, own],
    ...parts.map((part): StoreKey => [...list, part]),
  ]];
}

/** What lists know of a record: with the same, it need not be listed again. */
function placeOf(
  { sandboxId, organizationId, createdAt, expiresAt }: StoredRecord,
): string {
  return JSON.stringify([sandboxId, organizationId, createdAt, expiresAt]);
}

/** By which lists are in order: the age, whose ms have 13 digits until 2286, and then the id. */
function positionOf({ record }: VersionedRecord): string {
  return `${record.createdAt}.${record.id}`;
}
