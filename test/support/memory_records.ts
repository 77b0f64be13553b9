/** Records in memory, for tests of what is made of them. */
import { GatewayError } from "../../src/errors.ts";
import type {
  Precondition,
  RecordForm,
  RecordPage,
  StoredRecord,
  VersionedRecord,
} from "../../src/records/stored_record.ts";

/** Keeps records until the test is over; `page` is how many a list has at once. */
export class MemoryRecords {
  readonly isOn = true;
  readonly endedWithinMs = 300_000;
  readonly #kept = new Map<string, VersionedRecord>();
  #version = 0;
  /** True while the store is away. */
  isAway = false;
  cap = Infinity;
  page = 50;

  /** Everything that was asked for, as `get tokens ID`. */
  readonly asked: string[] = [];

  async get<D>(
    { name: kind }: RecordForm<D>,
    id: string,
    beforeRead?: () => void,
  ): Promise<VersionedRecord<D> | undefined> {
    beforeRead?.();
    this.#ask("get", kind, id);
    const found = this.#kept.get(`${kind} ${id}`);
    return await Promise.resolve(found as VersionedRecord<D> | undefined);
  }

  async update<D>(
    form: RecordForm<D>,
    id: string,
    change: (record: StoredRecord<D>) => StoredRecord<D> | undefined,
  ): Promise<VersionedRecord<D> | "full" | undefined> {
    const found = await this.get(form, id);
    const record = found && change(found.record);
    if (found === undefined || record === undefined) return undefined;
    const written = await this.put(form, record, found);
    if (typeof written === "object") return { record, ...written };
    return written === "full" ? written : await this.update(form, id, change);
  }

  put<D>(
    { name: kind }: RecordForm<D>,
    record: StoredRecord<D>,
    when: Precondition,
  ): Promise<{ readonly etag: string } | "conflict" | "full"> {
    this.#ask("put", kind, record.id);
    const key = `${kind} ${record.id}`;
    const found = this.#kept.get(key);
    const isMet = when === "absent"
      ? found === undefined
      : found?.etag === when.etag;
    if (!isMet) return Promise.resolve("conflict");
    if (when === "absent" && this.#kept.size >= this.cap) {
      return Promise.resolve("full");
    }
    const etag = `v${++this.#version}`;
    this.#kept.set(key, { record: structuredClone(record), etag });
    return Promise.resolve({ etag });
  }

  delete<D>(
    { name: kind }: RecordForm<D>,
    id: string,
    isWanted: (found: VersionedRecord<D>) => boolean = () => true,
  ): Promise<boolean> {
    this.#ask("delete", kind, id);
    const key = `${kind} ${id}`;
    const found = this.#kept.get(key);
    const isIt = found !== undefined &&
      isWanted(found as VersionedRecord<D>);
    return Promise.resolve(isIt && this.#kept.delete(key));
  }

  async makeRoom<D>(
    { name: kind }: RecordForm<D>,
    _record: StoredRecord<D>,
    isGone: (sandboxId: string) => Promise<boolean>,
  ): Promise<boolean> {
    this.#ask("makeRoom", kind);
    const before = this.#kept.size;
    for (const [key, { record }] of this.#kept) {
      if (await isGone(record.sandboxId)) this.#kept.delete(key);
    }
    return this.#kept.size < before;
  }

  list<D>(
    { name: kind }: RecordForm<D>,
    sandboxId: string,
    cursor = "0",
  ): Promise<RecordPage<D>> {
    this.#ask("list", kind, sandboxId);
    const all = [...this.#kept].filter(([key, { record }]) =>
      key.startsWith(`${kind} `) && record.sandboxId === sandboxId
    ).map(([, versioned]) => versioned as VersionedRecord<D>).reverse();
    const from = Number(cursor);
    const to = from + this.page;
    const next = to < all.length ? String(to) : undefined;
    return Promise.resolve({ items: all.slice(from, to), next });
  }

  #ask(...words: string[]): void {
    this.asked.push(words.join(" "));
    if (!this.isAway) return;
    throw new GatewayError("records_unavailable", "The store is away");
  }
}
