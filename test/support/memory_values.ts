/** The database of records in memory, for tests of what is kept there in another form. */
import type { StoreKey } from "../../src/cache/store.ts";
import { GatewayError } from "../../src/errors.ts";
import {
  RecordValues,
  type RecordValuesOptions,
} from "../../src/records/record_values.ts";
import type {
  VersionedValue,
  VersionedValues,
  VersionedWrite,
} from "../../src/records/versioned_values.ts";

/** Keeps values until the test is over. */
export class MemoryValues implements VersionedValues {
  readonly kept = new Map<string, VersionedValue>();
  /** Everything that was asked for, as `read names,7`. */
  readonly asked: string[] = [];
  /** True while the database is away. */
  isAway = false;
  /** The keys whose writes fail. */
  readonly unwritable = new Set<string>();
  /** For how long what was written last is kept, ms. */
  keptMs = NaN;
  readonly #held = new Map<string, Promise<void>>();
  #version = 0;

  /** The store of one more gateway, which tries anew whatever has failed. */
  gateway({ sleep }: Pick<RecordValuesOptions, "sleep"> = {}): RecordValues {
    let time = 0;
    return new RecordValues({
      open: () => Promise.resolve(this),
      now: () => time += 10_000,
      onFailure() {},
      ...sleep && { sleep },
      deadlineMs: 3_600_000, // for clocks that pass at once
    });
  }

  close(): void {}

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
    { key, version, text, ttlMs }: VersionedWrite,
  ): Promise<string | undefined> {
    const name = this.#ask("write", key);
    if (this.unwritable.has(name)) throw unavailable();
    if (this.kept.get(name)?.version !== version) return undefined;
    this.keptMs = ttlMs;
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
