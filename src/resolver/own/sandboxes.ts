/** Facts about sandboxes: whether one is public, and where it is. */
import { LRUCache } from "lru-cache";
import type { AppOriginMode } from "../../config/config.ts";
import type { DaytonaApi } from "../../daytona/api.ts";
import { GatewayError } from "../../errors.ts";
import type { Background } from "../../lib/background.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import type { Sealer } from "../../lib/seal.ts";
import {
  type AppOriginLabels,
  appOriginLabels,
  appOriginOn,
  NO_LABELS,
} from "../app_origin_labels.ts";
import type { Destination, Destinations, SandboxPort } from "../destination.ts";
import {
  booleanCodec,
  type Budget,
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "../lookup_cache.ts";
import type { ProbeClient } from "../refusals/probe.ts";
import { RunnerRefusals } from "../refusals/runner_refusals.ts";
import type { Change } from "../sandbox_changes.ts";
import { type Placement, placementCodec, runnerDestination } from "./runner.ts";

/** Minimum time between two renewals of a sandbox's place, ms. */
const RENEWAL_PAUSE_MS = 5000;

/** Longest wait for a sandbox's labels, ms: they only refine the answer. */
const LABELS_WAIT_MS = 1000;

/** The operations of the API that find sandboxes. */
type SandboxApi = Pick<
  DaytonaApi,
  "isSandboxPublic" | "runnerOfSandbox" | "sandboxById"
>;

/** Dependencies of a {@linkcode SandboxResolver} besides the API. */
export interface SandboxResolverOptions extends LookupCacheOptions {
  readonly sealer: Sealer;
  /** What apps are told of their own address, unless their sandbox's labels say otherwise. */
  readonly appOrigin: AppOriginMode;
  /** Probed where a response may be a runner's refusal. */
  readonly upstream: ProbeClient;
}

/**
 * Cached answers about sandboxes.
 *
 * @throws {GatewayError} as {@linkcode DaytonaApi} if an answer is neither cached nor given by the API; every lookup
 */
export class SandboxResolver implements Destinations {
  readonly #api: SandboxApi;
  readonly #background: Background;
  readonly #visibility: LookupCache<boolean>;
  readonly #placements: LookupCache<Placement | null>;
  readonly #renewals: ExpiringLru<string, Promise<Placement | null>>;
  /** The latest labels of sandboxes that have some: they still count if they cannot be read again. */
  readonly #labels: LRUCache<string, AppOriginLabels>;
  readonly #appOrigin: AppOriginMode;
  readonly #refusals: RunnerRefusals;

  constructor(api: SandboxApi, options: SandboxResolverOptions) {
    this.#api = api;
    this.#background = options.background;
    this.#visibility = new LookupCache("sandbox-public", booleanCodec, options);
    this.#placements = new LookupCache(
      "sandbox-runner-info",
      placementCodec("sandbox-runner-info", options.store, options.sealer),
      options,
    );
    this.#renewals = new ExpiringLru({
      max: options.cache.maxEntries,
      ttlMs: RENEWAL_PAUSE_MS,
    });
    this.#labels = new LRUCache({ max: options.cache.maxEntries });
    this.#appOrigin = options.appOrigin;
    this.#refusals = new RunnerRefusals(options.upstream);
  }

  /** True if anyone may open the sandbox's ordinary ports; also false if there is no such sandbox. */
  async isPublic(sandboxId: string, budget: Budget): Promise<boolean> {
    return await this.#visibility.lookUp(sandboxId, () => {
      this.#prefetchPlacement(sandboxId);
      return this.#api.isSandboxPublic(sandboxId);
    }, budget);
  }

  /** The same, if the answer is in process and fresh; undefined otherwise. */
  isKnownPublic(sandboxId: string): boolean | undefined {
    return this.#visibility.known(sandboxId);
  }

  /** The id of the sandbox that a label names: the label itself, as the API finds sandboxes for a proxy by id only. */
  sandboxIdOf(label: string): string {
    return label;
  }

  /** The same as {@linkcode destinationOf}, if the answer is in process and fresh; undefined otherwise. */
  knownDestination(
    sandboxId: string,
    port: SandboxPort,
  ): Destination | null | undefined {
    const placement = this.#placements.known(sandboxId);
    return placement && this.#destination(placement, sandboxId, port);
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
    const placement = await this.#placements.lookUp(
      sandboxId,
      () => this.#placementOf(sandboxId),
      UNMETERED,
      onMiss,
    );
    return placement && this.#destination(placement, sandboxId, port);
  }

  /**
   * Asks the API again after the known destination failed, since the sandbox may have moved. However many requests
   * fail, the API is asked once per sandbox in {@linkcode RENEWAL_PAUSE_MS}; until it answers, the cached place is
   * kept.
   */
  async renewDestination(
    sandboxId: string,
    port: SandboxPort,
  ): Promise<Destination | null> {
    let renewal = this.#renewals.get(sandboxId);
    if (renewal === undefined) {
      renewal = this.#renewPlacement(sandboxId);
      this.#renewals.set(sandboxId, renewal);
    }
    const placement = await renewal;
    return placement && this.#destination(placement, sandboxId, port);
  }

  /** Forgets whether a sandbox is public, and where it is. Its labels still count if they cannot be read again. */
  async forget(sandboxId: string, change: Change): Promise<void> {
    this.#renewals.delete(sandboxId);
    await Promise.all([
      this.#visibility.forget(sandboxId, change),
      this.#placements.forget(sandboxId, change),
    ]);
  }

  #destination(
    { runner, appOrigin }: Placement,
    sandboxId: string,
    port: SandboxPort,
  ): Destination {
    return runnerDestination(runner, { sandboxId, sandboxPort: port }, {
      appOrigin: appOriginOn(port, appOrigin, this.#appOrigin),
      refusals: this.#refusals,
    });
  }

  /**
   * Looks up where a sandbox is in parallel with whether it is public, as an admitted request needs that next. A
   * failure is ignored: the lookup of that request will report its own.
   */
  #prefetchPlacement(sandboxId: string): void {
    if (this.#placements.known(sandboxId) !== undefined) return;
    const fetched = this.#placements.prefetch(
      sandboxId,
      () => this.#placementOf(sandboxId),
    );
    this.#background.add("prefetch runner", fetched.catch(() => {}));
  }

  async #renewPlacement(sandboxId: string): Promise<Placement | null> {
    const placement = await this.#placementOf(sandboxId);
    const stored = this.#placements.put(sandboxId, placement);
    this.#background.add("store runner", stored);
    return placement;
  }

  /** Asks the API for a sandbox's runner and labels, at once. */
  async #placementOf(sandboxId: string): Promise<Placement | null> {
    const [runner] = await Promise.all([
      this.#api.runnerOfSandbox(sandboxId),
      fulfilsWithin(this.#readLabels(sandboxId), LABELS_WAIT_MS),
    ]);
    return runner &&
      { runner, appOrigin: this.#labels.get(sandboxId) ?? NO_LABELS };
  }

  /** Reads a sandbox's labels. If the API cannot tell them now, those known so far stay. */
  async #readLabels(sandboxId: string): Promise<void> {
    try {
      const sandbox = await this.#api.sandboxById(sandboxId);
      // Whoever may name a sandbox may name it like another one's id.
      if (sandbox !== null && sandbox.id !== sandboxId) return;
      const labels = appOriginLabels(sandbox?.labels ?? {});
      if (labels === NO_LABELS) this.#labels.delete(sandboxId);
      else this.#labels.set(sandboxId, labels);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }
}
