import { openDurableStore } from "../../src/cache/open_store.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreFailure,
} from "../../src/cache/store.ts";
import type { CacheLocation } from "../../src/config.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const { ok, warning, failed } = findingsOf("cache tier");

/** How long the probe may lie there if it cannot be deleted, ms. */
const PROBE_TTL_MS = 60_000;

/** Writes, reads and deletes one entry where the gateway would keep what it knows. */
export async function checkCacheTier(
  location: CacheLocation,
  world: World,
): Promise<Finding> {
  const where = nameOf(location);
  const failures: StoreFailure[] = [];
  let store: DurableStore | null;
  try {
    // It has a deadline of its own, for itself and each operation.
    store = await openDurableStore(location, {
      platformShared: false,
      now: world.now,
      onFailure: (failure) => failures.push(failure),
    });
  } catch (error) {
    return failed(`${where} cannot be opened: ${describeError(error)}.`, HINT);
  }
  if (store === null) {
    return warning(
      "There is none: what the gateway knows, logins among it, ends with its process.",
      "Set CACHE_URL to kv:, or to a Redis where there are several gateways.",
    );
  }
  try {
    const startedAt = performance.now();
    // The first operation may be late because it connects, which the gateway would not notice either.
    const isKept = await probe(store, world.now()) ||
      await probe(store, world.now());
    const tookMs = Math.round(performance.now() - startedAt);
    if (!isKept) {
      const [failure] = failures;
      return failure === undefined
        ? failed(`${where} does not give back what is written to it.`, HINT)
        : judgeFailure(where, failure);
    }
    return location.kind === "kv" && location.path === ":memory:"
      ? warning(
        `${where}: what the gateway knows, logins among it, ends with its process.`,
        "Set CACHE_URL to kv:, or to a Redis where there are several gateways.",
      )
      : ok(
        `${where} takes an entry and gives it back, in ${tookMs} ms; ${
          store.shared
            ? "several gateways can share it"
            : "it is for one gateway process"
        }.`,
      );
  } finally {
    store.close();
  }
}

const HINT = "Check CACHE_URL, or the REDIS_ variables, and that it runs.";

function judgeFailure(
  where: string,
  { reason, cause }: StoreFailure,
): Finding {
  return reason === "locked"
    ? warning(
      `${where} is in use by another process.`,
      "Right if that is the gateway itself; a second gateway needs a file of its own.",
    )
    : failed(
      `${where} does not work: ${describeError(cause).replace(/\.$/, "")}.`,
      HINT,
    );
}

/** Whether what is written can be read again. */
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

/** The place, without its credentials. */
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
      return `Redis at ${location.hostname}:${location.port}`;
  }
}
