/** Facts about sandboxes: whether one is public, and where it is. */
import { LRUCache } from "lru-cache";
import type { DaytonaApi, Runner } from "../daytona/api.ts";
import type { Background } from "../lib/background.ts";
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

/** Minimum time between two renewals of a sandbox's runner, ms. */
const RENEWAL_PAUSE_MS = 5000;

/** The operations of the API that find sandboxes. */
type SandboxApi = Pick<DaytonaApi, "isSandboxPublic" | "runnerOfSandbox">;

/**
 * Cached answers about sandboxes.
 *
 * @throws {GatewayError} as {@linkcode DaytonaApi} if an answer is neither cached nor given by the API; every lookup
 */
export class SandboxResolver {
  readonly #api: SandboxApi;
  readonly #background: Background;
  readonly #visibility: LookupCache<boolean>;
  readonly #runners: LookupCache<Runner | null>;
  readonly #renewals: LRUCache<string, Promise<Runner | null>>;

  constructor(
    api: SandboxApi,
    options: LookupCacheOptions & { readonly sealer: Sealer },
  ) {
    this.#api = api;
    this.#background = options.background;
    this.#visibility = new LookupCache("sandbox-public", booleanCodec, options);
    this.#runners = new LookupCache(
      "sandbox-runner-info",
      runnerCodec("sandbox-runner-info", options.store, options.sealer),
      options,
    );
    this.#renewals = new LRUCache({
      max: options.cache.maxEntries,
      ttl: RENEWAL_PAUSE_MS,
      ttlResolution: 0, // holds no timer
    });
  }

  /** True if anyone may open the sandbox's ordinary ports; also false if there is no such sandbox. */
  async isPublic(sandboxId: string, budget: Budget): Promise<boolean> {
    return await this.#visibility.lookUp(sandboxId, () => {
      this.#prefetchRunner(sandboxId);
      return this.#api.isSandboxPublic(sandboxId);
    }, budget);
  }

  /** The same, if the answer is in process and fresh; undefined otherwise. */
  isKnownPublic(sandboxId: string): boolean | undefined {
    return this.#visibility.known(sandboxId);
  }

  /**
   * Where requests for a port of the sandbox go; null if there is no such sandbox. It is not rate-limited, so it is only
   * for admitted requests. `onMiss` is called before a lookup that goes beyond the process.
   */
  async destinationOf(
    sandboxId: string,
    port: SandboxPort,
    onMiss: () => void,
  ): Promise<Destination | null> {
    const runner = await this.#runners.lookUp(
      sandboxId,
      () => this.#api.runnerOfSandbox(sandboxId),
      UNMETERED,
      onMiss,
    );
    return runner && runnerDestination(runner, sandboxId, port);
  }

  /**
   * Asks the API again after the known destination failed, since the sandbox may have moved. However many requests
   * fail, the API is asked once per sandbox in {@linkcode RENEWAL_PAUSE_MS}; until it answers, the cached runner is
   * kept.
   */
  async renewDestination(
    sandboxId: string,
    port: SandboxPort,
  ): Promise<Destination | null> {
    let renewal = this.#renewals.get(sandboxId);
    if (renewal === undefined) {
      renewal = this.#renewRunner(sandboxId);
      this.#renewals.set(sandboxId, renewal);
    }
    const runner = await renewal;
    return runner && runnerDestination(runner, sandboxId, port);
  }

  /**
   * Looks up a sandbox's runner in parallel with whether the sandbox is public, as an admitted request needs it next. A
   * failure is ignored: the lookup of that request will report its own.
   */
  #prefetchRunner(sandboxId: string): void {
    if (this.#runners.known(sandboxId) !== undefined) return;
    const fetched = this.#runners.prefetch(
      sandboxId,
      () => this.#api.runnerOfSandbox(sandboxId),
    );
    this.#background.add("prefetch runner", fetched.catch(() => {}));
  }

  async #renewRunner(sandboxId: string): Promise<Runner | null> {
    const runner = await this.#api.runnerOfSandbox(sandboxId);
    const stored = this.#runners.put(sandboxId, runner);
    this.#background.add("store runner", stored);
    return runner;
  }
}
