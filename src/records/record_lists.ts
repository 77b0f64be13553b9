/** By what records are found again: a list for each sandbox, and one, in parts, for each organization. */
import { z } from "zod";
import type { StoreKey } from "../cache/store.ts";
import { type Form, storedObject } from "./form.ts";
import { type RecordValues, unreadable } from "./record_values.ts";
import { listedRecord, type StoredRecord } from "./stored_record.ts";

/** Most records of one kind for each sandbox, and for each organization. */
export const CAPS = [100, 10_000];

/** An organization's list is in so many parts by age, as a value in Deno KV may have 64 KiB; prime, for round times. */
const PARTS = 31;
const PART_KIND = "organization-records";

/** A record in a list. */
export type Listed = Pick<StoredRecord, "id" | "createdAt" | "expiresAt">;

const LIST: Form<{ readonly listed: readonly Listed[] }> = {
  schema: storedObject({ listed: z.array(listedRecord) }),
  none: { listed: [] },
};

interface RecordListsOptions {
  readonly values: Pick<RecordValues, "read" | "update">;
  readonly caps: typeof CAPS;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Its methods throw `records_unavailable`. */
export class RecordLists {
  readonly #options: RecordListsOptions;

  constructor(options: RecordListsOptions) {
    this.#options = options;
  }

  /** The records of a list that are not over. */
  async of(key: StoreKey): Promise<readonly Listed[]> {
    const found = await this.#options.values.read(key, LIST);
    if (found === "unreadable") throw unreadable(key);
    return this.#current(found.value.listed);
  }

  /** Those of a part of an organization's; none if it cannot be read, as then they do not count. */
  async #ofPart(key: StoreKey): Promise<readonly Listed[]> {
    const found = await this.#options.values.read(key, LIST);
    return found === "unreadable" ? [] : this.#current(found.value.listed);
  }

  /** Those of an organization, each with the part that lists it; undefined if it may have more. */
  async fullOrganization(
    kind: string,
    record: StoredRecord,
  ): Promise<{ readonly key: StoreKey; readonly each: Listed }[] | undefined> {
    const [, keys = []] = listsOf(kind, record);
    const parts = await Promise.all(keys.map(async (key) => {
      const listed = await this.#ofPart(key);
      return listed.map((each) => ({ key, each }));
    }));
    const all = parts.flat();
    const [, cap = 0] = this.#options.caps;
    return all.length < cap ? undefined : all;
  }

  /** Lists a record with its sandbox and its organization; false if one of them has too many. */
  async enlist(kind: string, record: StoredRecord): Promise<boolean> {
    const { id, createdAt, expiresAt } = record;
    for (const [at, [key, ...others]] of listsOf(kind, record).entries()) {
      const parts = await Promise.all(others.map((each) => this.#ofPart(each)));
      const taken = parts.reduce((sum, { length }) => sum + length, 0);
      const room = (this.#options.caps[at] ?? 0) - taken;
      const isListed = await this.#change(key, (listed) => {
        const rest = listed.filter((each) => each.id !== id);
        const all = [...rest, { id, createdAt, expiresAt }];
        return rest.length < room ? all : undefined;
      });
      if (!isListed) return false;
    }
    return true;
  }

  /** Takes a record out of a list that can be read; one that was made anew under its id stays. */
  async unlist(key: StoreKey, { id, createdAt }: Listed): Promise<void> {
    const { values } = this.#options;
    if (await values.read(key, LIST) === "unreadable") return;
    const isOther = (each: Listed) =>
      each.id !== id || each.createdAt !== createdAt;
    await this.#change(key, (listed) => listed.filter(isOther));
  }

  /** Takes a record out of all lists that it is in, but those of another one. */
  async unlistAll(
    kind: string,
    record: StoredRecord,
    other?: StoredRecord,
  ): Promise<void> {
    const kept = other ? listsOf(kind, other).map(([key]) => String(key)) : [];
    for (const [key] of listsOf(kind, record)) {
      if (!kept.includes(String(key))) await this.unlist(key, record);
    }
  }

  /**
   * Changes a list as it is by then; false if `change` has it stay. A part of an organization's that cannot be read begins
   * anew; a sandbox's does not, as its members would not see what they have granted.
   */
  async #change(
    key: StoreKey,
    change: (listed: readonly Listed[]) => readonly Listed[] | undefined,
  ): Promise<boolean> {
    const { values, now } = this.#options;
    const isPart = key[0] === PART_KIND;
    const updated = await values.update(key, LIST, (list) => {
      const listed = change(this.#current(list.listed));
      if (listed === undefined) return undefined;
      const ends = listed.map(({ expiresAt }) => expiresAt ?? Infinity);
      const value = listed.length === 0 ? undefined : { ...list, listed };
      return { value, ttlMs: leftMs(Math.max(...ends), now()) };
    }, isPart ? { value: LIST.none } : undefined);
    return updated !== undefined;
  }

  #current(listed: readonly Listed[]): readonly Listed[] {
    return listed.filter((each) => !isOver(each, this.#options.now()));
  }
}

/** A database may forget that late. */
export function isOver(
  { expiresAt }: Pick<StoredRecord, "expiresAt">,
  now: number,
): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** The time until then, ms: a whole number of at least 1, or Infinity. */
export function leftMs(expiresAt: number | null, now: number): number {
  return Math.max(1, Math.ceil((expiresAt ?? Infinity) - now));
}

/** The list of a sandbox. */
export function listOf(kind: string, sandboxId: string): StoreKey {
  return ["sandbox-records", kind, sandboxId];
}

/** The lists that a record is in: of each its part, and then the others. */
function listsOf(
  kind: string,
  { sandboxId, organizationId, createdAt }: StoredRecord,
): (readonly [StoreKey, ...StoreKey[]])[] {
  const ofSandbox = [listOf(kind, sandboxId)] as const;
  if (organizationId === null) return [ofSandbox];
  const list = [PART_KIND, kind, organizationId] as const;
  const parts = Array.from({ length: PARTS }, (_, at) => String(at));
  const [own = ""] = parts.splice(createdAt % PARTS, 1);
  return [ofSandbox, [
    [...list, own],
    ...parts.map((part): StoreKey => [...list, part]),
  ]];
}
