import type { KvDatabase } from "../cache/kv_database.ts";
import type { StoreKey } from "../cache/store.ts";
import type {
  VersionedValue,
  VersionedValues,
  VersionedWrite,
} from "./versioned_values.ts";

/** Versioned values in Deno KV, whose values have versions. */
export class KvValues implements VersionedValues {
  readonly #kv: KvDatabase;

  constructor(kv: KvDatabase) {
    this.#kv = kv;
  }

  async read(key: StoreKey): Promise<VersionedValue | undefined> {
    const { value, versionstamp } = await this.#kv.get(["porthole", ...key]);
    return value instanceof Uint8Array && versionstamp !== null
      ? { text: new TextDecoder().decode(value), version: versionstamp }
      : undefined;
  }

  async write(write: VersionedWrite): Promise<string | undefined> {
    const { text, version = null, ttlMs } = write;
    const key = ["porthole", ...write.key];
    const checked = this.#kv.atomic().check({ key, versionstamp: version });
    const options = Number.isFinite(ttlMs) ? { expireIn: ttlMs } : undefined;
    const written = text === undefined
      ? checked.delete(key)
      : checked.set(key, new TextEncoder().encode(text), options);
    return (await written.commit()).versionstamp;
  }

  close(): void {
    this.#kv.close();
  }
}
