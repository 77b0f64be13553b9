/** Facts about sandboxes: whether one is public, and where it is. */
import { LRUCache } from "lru-cache";
import type { DaytonaApi, Runner } from "../daytona/api.ts";
import type { Sealer } from "../lib/seal.ts";
import type { Destination, SandboxPort } from "./destination.ts";
import {
  booleanCodec,
  type Budget,
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "./lookup_cache.ts";
import { runnerCodec, runnerDestination } from "./runner.ts";

/**
 * Cached answers about sandboxes.
 *
 * @throws {GatewayError} `api_unreachable` if an answer is neither cached nor given by the API; every lookup
 */
export interface SandboxResolver {
  /** Whether anyone may open the sandbox's ordinary ports; also false if there is no such sandbox. */
  isPublic(sandboxId: string, budget: Budget): boolean | Promise<boolean>;
  /** The same, if the answer is in process and fresh; undefined otherwise. */
  isKnownPublic(sandboxId: string): boolean | undefined;
  /**
   * Where requests for a port of the sandbox go; null if there is no such sandbox. It is not rate-limited, so it is only
   * for admitted requests. `onMiss` is called before a lookup
   * that goes beyond the process.
   */
  destinationOf(
    sandboxId: string,
    port: SandboxPort,
    onMiss: () => void,
  ): Promise<Destination | null>;
  /**
   * Asks the API again after the known destination failed, since the sandbox may have moved. However many requests
   * fail, the API is asked once per sandbox in {@linkcode RENEWAL_PAUSE_MS}; until it answers, the cached runner is
   * kept.
   */
  renewDestination(
    sandboxId: string,
    port: SandboxPort,
  ): Promise<Destination | null>;
}

/** Minimum time between two renewals of a sandbox's runner, ms. */
const RENEWAL_PAUSE_MS = 5000;

/** Creates the resolver, which asks the API and caches its answers. */
export function createSandboxResolver(
  api: Pick<DaytonaApi, "isSandboxPublic" | "runnerOfSandbox">,
  options: LookupCacheOptions & {
    readonly sealer: Sealer;
    /** Measures the time between renewals; a clock in ms that is never set. */
    readonly perf?: { now(): number };
  },
): SandboxResolver {
  const visibility = new LookupCache("sandbox-public", booleanCodec, options);
  const runners = new LookupCache<Runner | null>(
    "sandbox-runner-info",
    runnerCodec("sandbox-runner-info", options.store, options.sealer),
    options,
  );
  const renewals = new LRUCache<string, Promise<Runner | null>>({
    max: options.cache.maxEntries,
    ttl: RENEWAL_PAUSE_MS,
    ttlResolution: 0, // holds no timer
    perf: options.perf ?? performance,
  });

  /**
   * Looks up a sandbox's runner in parallel with whether the sandbox is public, as an admitted request needs it next. A
   * failure is ignored: the lookup of that request will report its own.
   */
  function prefetchRunner(sandboxId: string): void {
    if (runners.known(sandboxId) !== undefined) return;
    const fetched = runners.prefetch(
      sandboxId,
      () => api.runnerOfSandbox(sandboxId),
    );
    options.background.add("prefetch runner", fetched.catch(() => {}));
  }

  async function renew(sandboxId: string): Promise<Runner | null> {
    const runner = await api.runnerOfSandbox(sandboxId);
    options.background.add("store runner", runners.put(sandboxId, runner));
    return runner;
  }

  return {
    isKnownPublic: (sandboxId) => visibility.known(sandboxId),
    isPublic: (sandboxId, budget) =>
      visibility.lookUp(
        sandboxId,
        () => {
          prefetchRunner(sandboxId);
          return api.isSandboxPublic(sandboxId);
        },
        budget,
      ),
    async destinationOf(sandboxId, port, onMiss) {
      const runner = await runners.lookUp(
        sandboxId,
        () => api.runnerOfSandbox(sandboxId),
        UNMETERED,
        onMiss,
      );
      return runner && runnerDestination(runner, sandboxId, port);
    },
    async renewDestination(sandboxId, port) {
      let renewal = renewals.get(sandboxId);
      if (renewal === undefined) {
        renewal = renew(sandboxId);
        renewals.set(sandboxId, renewal);
      }
      const runner = await renewal;
      return runner && runnerDestination(runner, sandboxId, port);
    },
  };
}
