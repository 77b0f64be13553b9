import { openDurableStore } from "../../src/cache/open_store.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreFailure,
} from "../../src/cache/store.ts";
import { addressesOf } from "../../src/config/cache_location.ts";
import type { CacheLocation } from "../../src/config/config.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const { ok, warning, failed } = findingsOf("cache tier");

/** The lifetime of the probe, ms, in case it cannot be deleted. */
const PROBE_TTL_MS = 60_000;

/** Writes, reads and deletes an entry in the gateway's durable cache tier. */
export async function checkCacheTier(
  location: CacheLocation,
  world: World,
): Promise<Finding> {
  const where = nameOf(location);
  const hint = location.kind === "kv"
    ? "Check CACHE_URL, and that the gateway may write to that folder."
    : "Check CACHE_URL, or the REDIS_ variables, and that the database is running.";
  const failures: StoreFailure[] = [];
  let store: DurableStore | null;
  try {
    // It has its own deadlines, for opening and for each operation.
    store = await openDurableStore(location, {
      platformShared: false,
      now: world.now,
      onFailure: (failure) => failures.push(failure),
    });
  } catch (error) {
    return failed(`${where} cannot be opened: ${describeError(error)}.`, hint);
  }
  if (store === null) {
    return warning(
      "There is none: whatever the gateway knows, including logins, is lost when its process ends.",
      "Set CACHE_URL to kv:, or to a Redis if there are several gateways.",
    );
  }
  try {
    const startedAt = performance.now();
    // The first operation may be late because it connects, which would not affect the gateway either.
    const isKept = await probe(store, world.now()) ||
      await probe(store, world.now());
    const tookMs = Math.round(performance.now() - startedAt);
    if (!isKept) {
      const [failure] = failures;
      return failure === undefined
        ? failed(`${where} does not return what was written to it.`, hint)
        : judgeFailure(where, failure, hint);
    }
    return location.kind === "kv" && location.path === ":memory:"
      ? warning(
        `${where}: whatever the gateway knows, including logins, is lost when its process ends.`,
        "Set CACHE_URL to kv:, or to a Redis if there are several gateways.",
      )
      : ok(
        `${where} stores an entry and returns it, in ${tookMs} ms; ${
          store.shared
            ? "several gateways can share it"
            : "it is for one gateway process"
        }.`,
      );
  } finally {
    store.close();
  }
}

function judgeFailure(
  where: string,
  { reason, cause }: StoreFailure,
  hint: string,
): Finding {
  return reason === "locked"
    ? warning(
      `${where} is in use by another process.`,
      "That is fine if it is the gateway itself; a second gateway needs its own file.",
    )
    : failed(
      `${where} does not work: ${describeError(cause).replace(/\.$/, "")}.`,
      hint,
    );
}

/** True if an entry that was written can be read back. */
async function probe(store: DurableStore, now: number): Promise<boolean> {
  const key = ["doctor", crypto.randomUUID()] as const;
  const expiresAt = now + PROBE_TTL_MS;
  const entry: StoredEntry = {
    value: true,
    refreshAt: expiresAt,
    expiresAt,
    staleUntil: expiresAt,
  };
  await store.set(key, entry);
  const found = await store.get(key);
  await store.delete(key);
  return typeof found === "object" && found.value === entry.value;
}

/** Names the location, without its credentials. */
function nameOf(location: CacheLocation): string {
  switch (location.kind) {
    case "none":
      return "No cache tier";
    case "kv":
      return location.path === ":memory:"
        ? "Deno KV in memory"
        : location.path === undefined
        ? "Deno's own KV database"
        : `Deno KV in ${location.path}`;
    case "kv-connect":
      return `KV Connect at ${new URL(location.url).host}`;
    case "redis":
      return location.topology === "sentinel"
        ? `Redis by the Sentinels at ${addressesOf(location)}`
        : `Redis at ${addressesOf(location)}`;
  }
}
