import type { KvDatabase } from "../cache/kv_database.ts";
import type { VersionedValues } from "./versioned_values.ts";

/** Versioned values in Deno KV, whose values have versions. */
export function kvValues(kv: KvDatabase): VersionedValues {
  return {
    async read(key) {
      const { value, versionstamp } = await kv.get(["porthole", ...key]);
      return value instanceof Uint8Array && versionstamp !== null
        ? { text: new TextDecoder().decode(value), version: versionstamp }
        : undefined;
    },

    async write({ key: path, text, version = null, ttlMs }) {
      const key = ["porthole", ...path];
      const checked = kv.atomic().check({ key, versionstamp: version });
      const options = Number.isFinite(ttlMs) ? { expireIn: ttlMs } : undefined;
      const written = text === undefined
        ? checked.delete(key)
        : checked.set(key, new TextEncoder().encode(text), options);
      return (await written.commit()).versionstamp;
    },

    close: () => kv.close(),
  };
}
