import type { StoreKey } from "../cache/store.ts";
import { ExpiringLru } from "../lib/lru.ts";
import { type Reading, Readings } from "./readings.ts";
import { type ChangeStore, RecordChanges } from "./record_changes.ts";
import { CAPS, isOver, leftMs, listOf, RecordLists } from "./record_lists.ts";
import {
  RecordValues,
  type RecordValuesOptions,
  unreadable,
} from "./record_values.ts";
import type {
  Precondition,
  RecordForm,
  RecordPage,
  StoredRecord,
  VersionedRecord,
} from "./stored_record.ts";

/** Most records of a page. */
const PAGE = 50;

/** How many of an organization's records are looked at for ones whose sandboxes are gone. */
const LOOKED_AT = 20;

/** Time for which nothing is looked for where nothing was found, ms. */
const NOT_LOOKED_MS = 60_000;

interface RecordsOptions extends RecordValuesOptions {
  /** Most records in memory. */
  readonly maxEntries: number;
  readonly caps?: typeof CAPS;
}

/**
 * What members have granted, of all kinds. No write is of two keys, so that a cluster can keep them: a record is written
 * before it is listed, and what is listed only is taken out. One that cannot be read is in no page.
 * @throws {GatewayError} `records_unavailable` if the database does not answer in time, or there is none
 */
export class Records {
  readonly #now: () => number;
  /** Their database, for what is kept there in another form. */
  readonly values: RecordValues;
  readonly #lists: RecordLists;
  readonly #readings: Readings;
  #changes: RecordChanges | undefined;
  /** The lists that no room was found in lately. */
  readonly #packed: ExpiringLru<string, true>;

  constructor({ maxEntries: max, caps = CAPS, ...options }: RecordsOptions) {
    const { now } = options;
    this.#now = now;
    const values = new RecordValues(options);
    this.values = values;
    this.#lists = new RecordLists({ values, caps, now });
    this.#readings = new Readings(max);
    this.#packed = new ExpiringLru({ max, ttlMs: NOT_LOOKED_MS });
  }

  /** Begins to tell others of changes by `store`, and to hear of theirs, and sets how long it serves in an outage. */
  join(
    store: ChangeStore | null,
    { staleIfErrorMs }: { readonly staleIfErrorMs: number },
  ): this {
    const readings = this.#readings;
    readings.staleIfErrorMs = staleIfErrorMs;
    this.#changes = store === null ? undefined : new RecordChanges(
      store,
      (record, isEnd) => readings.changed(record, isEnd),
    );
    return this;
  }

  /** Time after which no gateway gives a record that was ended, whatever it has heard of that, ms. */
  get endedWithinMs(): number {
    return this.#readings.longestMs;
  }

  /** False if nothing is kept: whatever needs records is off then. */
  get isOn(): boolean {
    return this.values.isOn;
  }

  /**
   * A record as it was 5 s ago at most; while the database is away, as it was last, if that is not too long ago. Of an id
   * that nobody has asked for lately, `beforeRead` is called first, which may throw.
   */
  async get<D>(
    form: RecordForm<D>,
    id: string,
    beforeRead?: () => void,
  ): Promise<VersionedRecord<D> | undefined> {
    const key = keyOf(form, id);
    const name = String(key);
    if (!this.#readings.isKnown(name)) beforeRead?.();
    const found = await this.#readings.get(name, async () => {
      const found = await this.#find(form, id);
      if (found === "unreadable") throw unreadable(key);
      return found;
    });
    // Whatever is remembered under that key was read in that form.
    return found && !isOver(found.record, this.#now())
      ? found as VersionedRecord<D>
      : undefined;
  }

  /** Writes a record; `full` if there are 100 of that kind for its sandbox, or 10,000 for its organization. */
  async put<D>(
    form: RecordForm<D>,
    record: StoredRecord<D>,
    when: Precondition,
  ): Promise<{ readonly etag: string } | "conflict" | "full"> {
    const expected = when === "absent" ? undefined : when.etag;
    const written = await this.#write(
      form,
      record.id,
      (before) => before?.etag === expected ? record : undefined,
    );
    return written ?? "conflict";
  }

  /** Changes a record as it is by then; undefined if there is none, or `change` has it stay, `full` as {@linkcode put}. */
  async update<D>(
    form: RecordForm<D>,
    id: string,
    change: (record: StoredRecord<D>) => StoredRecord<D> | undefined,
  ): Promise<VersionedRecord<D> | "full" | undefined> {
    return await this.#write(form, id, (now) => now && change(now.record));
  }

  /**
   * Where a record's organization has as many as it may have, takes from its list a few whose sandboxes are gone, says
   * `isGone`, so that they do not count; false if there were none. It may be wrong: they stay as long as they last.
   */
  async makeRoom<D>(
    form: RecordForm<D>,
    record: StoredRecord<D>,
    isGone: (sandboxId: string) => Promise<boolean>,
  ): Promise<boolean> {
    const name = String([form.name, record.organizationId]);
    if (this.#packed.has(name)) return false;
    const all = await this.#lists.fullOrganization(form.name, record);
    if (all === undefined) return false;
    const some = all.map((one) => ({ ...one, at: Math.random() }))
      .sort((one, other) => one.at - other.at).slice(0, LOOKED_AT);
    const freed = await Promise.all(some.map(async ({ key, each }) => {
      const found = await this.#find(form, each.id);
      if (found === "unreadable") return false;
      if (found && !await isGone(found.record.sandboxId)) return false;
      await this.#lists.unlist(key, each);
      return true;
    }));
    if (!freed.includes(true)) this.#packed.set(name, true);
    return freed.includes(true);
  }

  /** False if there was none, or if it is not wanted as it is by then. */
  async delete<D>(
    form: RecordForm<D>,
    id: string,
    isWanted: (found: VersionedRecord<D>) => boolean = () => true,
  ): Promise<boolean> {
    const deleted = await this.#update(
      form,
      id,
      (found) => found && isWanted(found) ? { value: undefined } : undefined,
    );
    if (deleted?.before === undefined) return false;
    await this.#lists.unlistAll(form.name, deleted.before);
    return true;
  }

  /** Those of a sandbox from `cursor` on, as they are now. */
  async list<D>(
    form: RecordForm<D>,
    sandboxId: string,
    cursor?: string,
  ): Promise<RecordPage<D>> {
    const key = listOf(form.name, sandboxId);
    const all: VersionedRecord<D>[] = [];
    await Promise.all((await this.#lists.of(key)).map(async (each) => {
      const found = await this.#find(form, each.id);
      if (found === "unreadable") return;
      if (found?.record.sandboxId === sandboxId) all.push(found);
      else await this.#lists.unlist(key, each);
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

  /** Writes what `decide` makes of a record, and lists it; undefined if that is nothing. */
  async #write<D>(
    form: RecordForm<D>,
    id: string,
    decide: (
      before: VersionedRecord<D> | undefined,
    ) => StoredRecord<D> | undefined,
  ): Promise<VersionedRecord<D> | "full" | undefined> {
    const written = await this.#update(form, id, (before) => {
      const value = decide(before);
      return value && { value };
    });
    if (written?.value === undefined) return undefined;
    const { before, value: record, version: etag = "" } = written;
    if (before && placeOf(before) === placeOf(record)) return { record, etag };
    if (await this.#lists.enlist(form.name, record)) return { record, etag };
    await this.#update(
      form,
      id,
      (now) => now?.etag === etag ? { value: before } : undefined, // nobody was told of it
    );
    await this.#lists.unlistAll(form.name, record, before);
    return "full";
  }

  /** Changes a record alone, remembers it so, and tells the other gateways. One that is over is none. */
  async #update<D>(
    form: RecordForm<D>,
    id: string,
    change: (
      found: VersionedRecord<D> | undefined,
    ) => { readonly value: StoredRecord<D> | undefined } | undefined,
  ) {
    const key = keyOf(form, id);
    const name = String(key);
    let written: Reading | undefined;
    try {
      let at = 0;
      const updated = await this.values.update(key, form, (record, version) => {
        at = performance.now();
        this.#readings.beginWrite(name);
        const changed = change(this.#current(record, version));
        const { expiresAt = null } = changed?.value ?? {};
        return changed && { ...changed, ttlMs: leftMs(expiresAt, this.#now()) };
      });
      if (updated === undefined) return undefined;
      const { before, value, version } = updated;
      written = { found: this.#current(value, version), at };
      const isCurrent = before && !isOver(before, this.#now());
      return { ...updated, before: isCurrent ? before : undefined };
    } finally {
      this.#readings.endWrite(name, written);
      if (written) await this.#changes?.announce(name, !written.found);
    }
  }

  async #find<D>(
    form: RecordForm<D>,
    id: string,
  ): Promise<VersionedRecord<D> | "unreadable" | undefined> {
    const read = await this.values.read(keyOf(form, id), form);
    return read === "unreadable"
      ? read
      : this.#current(read.value, read.version);
  }

  #current<D>(
    record: StoredRecord<D> | undefined,
    etag: string | undefined,
  ): VersionedRecord<D> | undefined {
    const isThere = record !== undefined && etag !== undefined;
    return isThere && !isOver(record, this.#now())
      ? { record, etag }
      : undefined;
  }
}

function keyOf({ name }: RecordForm<unknown>, id: string): StoreKey {
  return ["record", name, id];
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
