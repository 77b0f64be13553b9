/** Records in memory, for tests of what is made of them. */
import { GatewayError } from "../../src/errors.ts";
import type {
  Precondition,
  RecordPage,
  StoredRecord,
  VersionedRecord,
} from "../../src/records/stored_record.ts";

/** Keeps records until the test is over; `page` is how many a list has at once. */
export class MemoryRecords {
  readonly isOn = true;
  readonly #kept = new Map<string, VersionedRecord>();
  #version = 0;
  /** True while the store is away. */
  isAway = false;
  cap = Infinity;
  page = 50;

  /** Everything that was asked for, as `get tokens ID`. */
  readonly asked: string[] = [];

  async get(
    kind: string,
    id: string,
    beforeRead?: () => void,
  ): Promise<VersionedRecord | undefined> {
    beforeRead?.();
    this.#ask("get", kind, id);
    return await Promise.resolve(this.#kept.get(`${kind} ${id}`));
  }

  put(
    kind: string,
    record: StoredRecord,
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

  delete(
    kind: string,
    id: string,
    isWanted: (found: VersionedRecord) => boolean = () => true,
  ): Promise<boolean> {
    this.#ask("delete", kind, id);
    const key = `${kind} ${id}`;
    const found = this.#kept.get(key);
    const isIt = found !== undefined && isWanted(found);
    return Promise.resolve(isIt && this.#kept.delete(key));
  }

  async makeRoom(
    kind: string,
    _record: StoredRecord,
    isGone: (sandboxId: string) => Promise<boolean>,
  ): Promise<boolean> {
    this.#ask("makeRoom", kind);
    const before = this.#kept.size;
    for (const [key, { record }] of this.#kept) {
      if (await isGone(record.sandboxId)) this.#kept.delete(key);
    }
    return this.#kept.size < before;
  }

  list(kind: string, sandboxId: string, cursor = "0"): Promise<RecordPage> {
    this.#ask("list", kind, sandboxId);
    const all = [...this.#kept].filter(([key, { record }]) =>
      key.startsWith(`${kind} `) && record.sandboxId === sandboxId
    ).map(([, versioned]) => versioned).reverse();
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
