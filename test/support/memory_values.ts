/** The database of records in memory, for tests of what is kept there in another form. */
import type { StoreKey } from "../../src/cache/store.ts";
import { GatewayError } from "../../src/errors.ts";
import type {
  VersionedValue,
  VersionedWrite,
} from "../../src/records/versioned_values.ts";

/** Keeps values until the test is over. */
export class MemoryValues {
  readonly kept = new Map<string, VersionedValue>();
  /** Everything that was asked for, as `read names,7`. */
  readonly asked: string[] = [];
  /** True while the database is away. */
  isAway = false;
  /** The keys whose writes fail. */
  readonly unwritable = new Set<string>();
  readonly #held = new Map<string, Promise<void>>();
  #version = 0;

  /** Has the next read of a value tell what is there then, but not before the returned function is called. */
  holdNextRead(name: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(name, promise);
    return resolve;
  }

  async read(key: StoreKey): Promise<VersionedValue | undefined> {
    const name = this.#ask("read", key);
    const found = this.kept.get(name);
    const held = this.#held.get(name);
    this.#held.delete(name);
    await held;
    return found;
  }

  // deno-lint-ignore require-await -- it rejects where it fails
  async write(
    { key, version, text }: VersionedWrite,
  ): Promise<string | undefined> {
    const name = this.#ask("write", key);
    if (this.unwritable.has(name)) throw unavailable();
    if (this.kept.get(name)?.version !== version) return undefined;
    const next = String(++this.#version);
    if (text === undefined) this.kept.delete(name);
    else this.kept.set(name, { text, version: next });
    return next;
  }

  #ask(operation: string, key: StoreKey): string {
    const name = String(key);
    this.asked.push(`${operation} ${name}`);
    if (this.isAway) throw unavailable();
    return name;
  }
}

function unavailable(): GatewayError {
  return new GatewayError("records_unavailable", "The store is away");
}
