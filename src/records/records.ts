import { LRUCache } from "lru-cache";
import { CircuitBreaker } from "../cache/circuit_breaker.ts";
import { SingleFlight } from "../cache/single_flight.ts";
import type { StoreKey, StoreOptions } from "../cache/store.ts";
import { GatewayError } from "../errors.ts";
import { isPending } from "../lib/cooldown.ts";
import { ExpiringLru } from "../lib/lru.ts";
import type {
  Precondition,
  RecordPage,
  StoredRecord,
  VersionedRecord,
  Written,
} from "./record.ts";
import type { VersionedValue, VersionedValues } from "./versioned_values.ts";

/** Most records of one kind. */
const CAPS = { ofSandbox: 100, ofOrganization: 10_000 };

/** Most records of a page. */
const PAGE = 50;

/** Time for which a record is not read again, ms. */
const FRESH_MS = 5_000;

/** Time for which a record that was read is still given while the database is away, ms. */
const KEPT_MS = 3_600_000;

/** An organization's list is in so many parts, as a value in Deno KV may have 64 KiB. */
const PARTS = 32;

/** A record in a list. */
type Listed = Pick<StoredRecord, "id" | "createdAt" | "expiresAt">;

interface RecordsOptions extends StoreOptions {
  /** Opens the database: for the first operation, and anew after that has failed. Null if nothing is kept. */
  readonly open: (() => Promise<VersionedValues>) | null;
  /** Most records in memory, and most names of which there is none. */
  readonly maxEntries: number;
  readonly caps?: typeof CAPS;
}

/** A record in memory. */
interface Copy extends VersionedRecord {
  /** When it was asked for, ms since the epoch. */
  readonly at: number;
}

/**
 * What members have granted, of all kinds. No write is of two keys, so that a cluster can keep them: a record is written
 * before it is listed, and what is listed only is taken out.
 * @throws {GatewayError} `records_unavailable` if the database does not answer in time, or there is none
 */
export class Records {
  readonly #options: RecordsOptions;
  readonly #breaker: CircuitBreaker;
  readonly #copies: LRUCache<string, Copy>;
  // Apart, so that made-up ids push out no record.
  readonly #absent: ExpiringLru<string, true>;
  readonly #reads = new SingleFlight<VersionedRecord | undefined>();
  #opening: Promise<VersionedValues> | undefined;

  constructor(options: RecordsOptions) {
    const { maxEntries: max, now } = options;
    this.#options = options;
    this.#breaker = new CircuitBreaker("records", options);
    this.#copies = new LRUCache({ max });
    this.#absent = new ExpiringLru({ max, ttlMs: FRESH_MS, now });
  }

  /** False if nothing is kept: whatever needs records is off then. */
  get isOn(): boolean {
    return this.#options.open !== null;
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
    const name = `${kind} ${id}`;
    if (this.#absent.has(name)) return undefined;
    const copy = this.#copies.get(name);
    if (this.#isWithin(copy, FRESH_MS)) return this.#unlessOver(copy);
    if (copy === undefined) beforeRead?.();
    try {
      return await this.#reads.share(name, async (isCurrent) => {
        const at = this.#options.now();
        const found = await this.#find(kind, id);
        if (!isCurrent()) return found; // it was written meanwhile
        this.#forget(name);
        if (found !== undefined) this.#copies.set(name, { ...found, at });
        else this.#absent.set(name, true);
        return found;
      });
    } catch (error) {
      if (this.#isWithin(copy, KEPT_MS)) return this.#unlessOver(copy);
      throw error;
    }
  }

  /** Writes a record; `full` if there are 100 of that kind for its sandbox, or 10,000 for its organization. */
  async put(
    kind: string,
    record: StoredRecord,
    when: Precondition,
  ): Promise<Written> {
    const written = await this.#put(kind, record, when);
    this.#forget(`${kind} ${record.id}`);
    return written;
  }

  /** False if there was none, or if it is not the one with that etag any more. */
  async delete(
    kind: string,
    id: string,
    when?: { readonly etag: string },
  ): Promise<boolean> {
    const isDeleted = await this.#delete(kind, id, when?.etag);
    this.#forget(`${kind} ${id}`);
    return isDeleted;
  }

  /** Those of a sandbox from `cursor` on, as they are now. */
  async list(
    kind: string,
    sandboxId: string,
    cursor?: string,
  ): Promise<RecordPage> {
    const key = sandboxList(kind, sandboxId);
    const { listed } = await this.#readList(key);
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
  async doubts(): Promise<readonly string[]> {
    return await this.#run(async (values) => await values.doubts?.() ?? []);
  }

  close(): void {
    this.#breaker.close();
    this.#opening?.then((values) => values.close()).catch(() => {});
  }

  async #put(
    kind: string,
    record: StoredRecord,
    when: Precondition,
  ): Promise<Written> {
    const key = recordKey(kind, record.id);
    const stored = await this.#read(key);
    const before = this.#current(stored);
    const expected = when === "absent" ? undefined : when.etag;
    if (before?.etag !== expected) return "conflict";
    const etag = await this.#write(key, record, stored?.version);
    if (etag === undefined) return "conflict";
    if (await this.#enlist(kind, record)) return { etag };
    await this.list(kind, record.sandboxId); // which takes out what is gone
    if (await this.#enlist(kind, record)) return { etag };
    await this.#write(key, before?.record, etag); // nobody was told of it
    return "full";
  }

  async #delete(kind: string, id: string, expected?: string): Promise<boolean> {
    for (;;) {
      const found = await this.#find(kind, id);
      if (found === undefined) return false;
      const { record, etag } = found;
      if (expected !== undefined && expected !== etag) return false;
      const key = recordKey(kind, id);
      if (await this.#write(key, undefined, etag) === undefined) continue;
      for (const { key } of listsOf(kind, record)) {
        await this.#unlist(key, record);
      }
      return true;
    }
  }

  #forget(name: string): void {
    this.#copies.delete(name);
    this.#absent.delete(name);
    this.#reads.forget(name);
  }

  #isWithin(copy: Copy | undefined, ms: number): copy is Copy {
    const now = this.#options.now();
    return copy !== undefined && isPending(copy.at + ms, { now, withinMs: ms });
  }

  async #find(kind: string, id: string): Promise<VersionedRecord | undefined> {
    return this.#current(await this.#read(recordKey(kind, id)));
  }

  #current(value: VersionedValue | undefined): VersionedRecord | undefined {
    return value &&
      this.#unlessOver({ record: JSON.parse(value.text), etag: value.version });
  }

  /** A database may forget late what is over. */
  #unlessOver(found: VersionedRecord): VersionedRecord | undefined {
    return this.#isOver(found.record) ? undefined : found;
  }

  #isOver({ expiresAt }: Pick<StoredRecord, "expiresAt">): boolean {
    return expiresAt !== null && expiresAt <= this.#options.now();
  }

  /** Lists a record with its sandbox and its organization; false if one of them has too many. */
  async #enlist(kind: string, record: StoredRecord): Promise<boolean> {
    const { id, createdAt, expiresAt } = record;
    const { caps = CAPS } = this.#options;
    for (const { key, others, cap } of listsOf(kind, record)) {
      const parts = await Promise.all(others.map((key) => this.#readList(key)));
      const room = parts
        .reduce((room, { listed }) => room - listed.length, caps[cap]);
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
    await this.#change(
      key,
      (listed) =>
        listed.filter((each) => each.id !== id || each.createdAt !== createdAt),
    );
  }

  /** Changes a list as it is by then; false if `change` has it stay. */
  async #change(
    key: StoreKey,
    change: (listed: readonly Listed[]) => readonly Listed[] | undefined,
  ): Promise<boolean> {
    for (;;) {
      const before = await this.#readList(key);
      const listed = change(before.listed);
      if (listed === undefined) return false;
      const ends = listed.map(({ expiresAt }) => expiresAt ?? Infinity);
      const last = Math.max(...ends);
      const expiresAt = Number.isFinite(last) ? last : null;
      const value = listed.length === 0 ? undefined : { listed, expiresAt };
      if (await this.#write(key, value, before.version)) return true;
    }
  }

  async #readList(key: StoreKey) {
    const { text = '{"listed":[]}', version } = await this.#read(key) ?? {};
    const { listed }: { listed: readonly Listed[] } = JSON.parse(text);
    return { listed: listed.filter((each) => !this.#isOver(each)), version };
  }

  #read(key: StoreKey): Promise<VersionedValue | undefined> {
    return this.#run((values) => values.read(key));
  }

  #write(
    key: StoreKey,
    value: Pick<StoredRecord, "expiresAt"> | undefined,
    version: string | undefined,
  ): Promise<string | undefined> {
    const text = value && JSON.stringify(value);
    const { expiresAt = null } = value ?? {};
    return this.#run((to) => to.write({ key, text, version, expiresAt }));
  }

  async #run<T>(operation: (values: VersionedValues) => Promise<T>) {
    const { open } = this.#options;
    if (open === null) throw unavailable("No records are kept");
    const done = await this.#breaker.run(async () => {
      this.#opening ??= open().catch((cause) => {
        this.#opening = undefined;
        throw cause;
      });
      return { result: await operation(await this.#opening) };
    }, undefined);
    if (done !== undefined) return done.result;
    throw unavailable("Their database fails, as the log has said");
  }
}

function unavailable(reason: string): GatewayError {
  return new GatewayError("records_unavailable", reason);
}

function recordKey(kind: string, id: string): StoreKey {
  return ["record", kind, id];
}

function sandboxList(kind: string, sandboxId: string): StoreKey {
  return ["sandbox-records", kind, sandboxId];
}

/** Where a record is listed: the key, the list's other parts, and its cap. */
function listsOf(kind: string, record: StoredRecord) {
  const { id, sandboxId, organizationId } = record;
  const key = sandboxList(kind, sandboxId);
  const ofSandbox = { key, others: [], cap: "ofSandbox" } as const;
  if (organizationId === null) return [ofSandbox];
  let sum = 0;
  for (const character of id) sum += character.charCodeAt(0);
  const [own = key, ...others] = Array.from(
    { length: PARTS },
    (_, at): StoreKey => {
      const part = String((sum + at) % PARTS);
      return ["organization-records", kind, organizationId, part];
    },
  );
  return [ofSandbox, { key: own, others, cap: "ofOrganization" } as const];
}

/** By which lists are in order: the age, whose ms have 13 digits until 2286, and then the id. */
function positionOf({ record }: VersionedRecord): string {
  return `${record.createdAt}.${record.id}`;
}
