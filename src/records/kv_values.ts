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
  readonly #now: () => number;

  constructor(kv: KvDatabase, now: () => number) {
    this.#kv = kv;
    this.#now = now;
  }

  async read(key: StoreKey): Promise<VersionedValue | undefined> {
    const { value, versionstamp } = await this.#kv.get(["porthole", ...key]);
    return value instanceof Uint8Array && versionstamp !== null
      ? { text: new TextDecoder().decode(value), version: versionstamp }
      : undefined;
  }

  async write(
    { key, text, version, expiresAt }: VersionedWrite,
  ): Promise<string | undefined> {
    const path = ["porthole", ...key];
    const options = expiresAt === null ? undefined : {
      expireIn: Math.max(1, Math.ceil(expiresAt - this.#now())),
    };
    const checked = this.#kv.atomic()
      .check({ key: path, versionstamp: version ?? null });
    const written = text === undefined
      ? checked.delete(path)
      : checked.set(path, new TextEncoder().encode(text), options);
    return (await written.commit()).versionstamp;
  }

  close(): void {
    this.#kv.close();
  }
}
