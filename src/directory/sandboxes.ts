/** Where sandboxes are: whether one is public, and which runner holds it. */
import { LRUCache } from "lru-cache";
import type { DaytonaApi, Runner } from "../daytona/client.ts";
import type { Sealer } from "../lib/seal.ts";
import {
  type AnswerCacheOptions,
  booleanCodec,
  type Charge,
  openAnswerCache,
} from "./answers.ts";
import { runnerCodec } from "./runner_codec.ts";

/** Answers about sandboxes, cached; a lookup that needs the API throws `api_unreachable` while that is down. */
export interface SandboxDirectory {
  /** Whether anyone may open the sandbox's ordinary ports; false also for one that does not exist. */
  isPublic(sandboxId: string, charge: Charge): boolean | Promise<boolean>;
  /** The same where the answer is at hand and fresh; undefined otherwise. */
  isKnownPublic(sandboxId: string): boolean | undefined;
  /** The runner that holds the sandbox; null where there is no such sandbox. For those who passed the gate. */
  runnerOf(
    sandboxId: string,
    onLookup: () => void,
  ): Runner | null | Promise<Runner | null>;
  /**
   * Asks anew, because the known runner failed: the sandbox may have moved. However many ask, and however often,
   * the API hears of it once in {@linkcode RENEWAL_PAUSE_MS} per sandbox; until it answers, what is known stays.
   */
  renewRunner(sandboxId: string): Promise<Runner | null>;
}

/** Least time between two renewals of one sandbox's runner, ms. */
export const RENEWAL_PAUSE_MS = 5000;

/** Creates the directory on the API and the caches behind it. */
export function createSandboxDirectory(
  api: Pick<DaytonaApi, "isSandboxPublic" | "runnerOfSandbox">,
  options: AnswerCacheOptions & { sealer: Sealer },
): SandboxDirectory {
  const publicity = openAnswerCache<boolean>("sandbox-public", booleanCodec, {
    ...options,
    isYes: (value) => value,
  });
  const runners = openAnswerCache<Runner | null>(
    "sandbox-runner-info",
    runnerCodec("sandbox-runner-info", options.store, options.sealer),
    { ...options, isYes: (value) => value !== null },
  );
  const renewals = new LRUCache<string, Promise<Runner | null>>({
    max: options.cache.maxEntries,
    ttl: RENEWAL_PAUSE_MS,
    perf: { now: options.now },
  });

  /**
   * Asks which runner holds a sandbox while it is asked whether that is public: whoever may enter it is forwarded there
   * next. Whoever needs the answer hears of a failure.
   */
  function anticipateRunner(sandboxId: string): void {
    if (runners.known(sandboxId) !== undefined) return;
    options.background.add(
      runners.anticipate(sandboxId, () => api.runnerOfSandbox(sandboxId)),
    );
  }

  async function renew(sandboxId: string): Promise<Runner | null> {
    const runner = await api.runnerOfSandbox(sandboxId);
    await runners.put(sandboxId, runner);
    return runner;
  }

  return {
    isKnownPublic: (sandboxId) => publicity.known(sandboxId),
    isPublic: (sandboxId, charge) =>
      publicity.lookUp(
        sandboxId,
        () => {
          anticipateRunner(sandboxId);
          return api.isSandboxPublic(sandboxId);
        },
        charge,
      ),
    runnerOf: (sandboxId, onLookup) =>
      runners.lookUp(
        sandboxId,
        () => api.runnerOfSandbox(sandboxId),
        onLookup,
      ),
    renewRunner(sandboxId) {
      const recent = renewals.get(sandboxId);
      if (recent !== undefined) return recent;
      const renewal = renew(sandboxId);
      renewals.set(sandboxId, renewal);
      return renewal;
    },
  };
}
