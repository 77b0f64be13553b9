/** The JSON that the store of records has: whoever else writes there, one value that is none must not hide the others. */
import type { StoreKey } from "../cache/store.ts";
import { GatewayError } from "../errors.ts";
import { parseJson } from "../lib/parse_json.ts";
import type { VersionedValue } from "./versioned_values.ts";

/** What is stored under a key cannot be read: nothing is written over it, and whoever can does without. */
export class UnreadableValue extends GatewayError {
  constructor(key: StoreKey) {
    super("records_unavailable", `No value that can be read: ${key.join("/")}`);
  }
}

/**
 * The value of a key, `none` if there is none there.
 * @throws {UnreadableValue} if it is no object or array in JSON
 */
export function storedJson<T extends object>(
  key: StoreKey,
  found: VersionedValue | undefined,
  none: T,
): T {
  if (found === undefined) return none;
  const value = parseJson(found.text);
  const isSuch = typeof value === "object" && value !== null &&
    Array.isArray(value) === Array.isArray(none);
  if (!isSuch) throw new UnreadableValue(key);
  return value as T;
}
