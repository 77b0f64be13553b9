/** Facts about sandboxes: whether one is public, and where it is. */
import type { AppOriginMode } from "../../config/config.ts";
import type { DaytonaApi } from "../../daytona/api.ts";
import { GatewayError } from "../../errors.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import type { Sealer } from "../../lib/seal.ts";
import { booleanCodec } from "../codecs.ts";
import type { Destination, Destinations, SandboxPort } from "../destination.ts";
import {
  type Budget,
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "../lookup_cache.ts";
import { appOriginOn, NO_LABELS, type OwnerLabels } from "../owner_labels.ts";
import type { ProbeClient } from "../refusals/probe.ts";
import { RecentAnswers } from "../refusals/recent_answers.ts";
import { RunnerRefusals } from "../refusals/runner_refusals.ts";
import type { Change } from "../sandbox_changes.ts";
import type { SandboxStates } from "../sandbox_states.ts";
import { type Placement, placementCodec, runnerDestination } from "./runner.ts";

/** Minimum time between two renewals of a sandbox's place, ms. */
const RENEWAL_PAUSE_MS = 5000;

/** Time for which labels are asked for alone once there was no runner, ms: as long as such an answer counts. */
const NOWHERE_MS = 2000;

/** Longest wait for a sandbox's labels where those of before are known, ms. */
const LABELS_WAIT_MS = 1000;

type SandboxApi =
  & Pick<DaytonaApi, "isSandboxPublic" | "runnerOfSandbox">
  & Pick<SandboxStates, "labelsOf">;

export interface SandboxResolverOptions extends LookupCacheOptions {
  readonly sealer: Sealer;
  /** What apps are told of their own address, unless their sandbox's labels say otherwise. */
  readonly appOrigin: AppOriginMode;
  /** Probed where a response may be a refusal. */
  readonly upstream: ProbeClient;
  /** Called when a sandbox that was known as public is not; see `OnReplaced` for `stored`. */
  readonly onPrivate: (sandboxId: string, stored?: Promise<void>) => void;
}

/** Cached answers about sandboxes. Lookups throw as {@linkcode DaytonaApi} does if there is no answer. */
export class SandboxResolver implements Destinations {
  readonly #api: SandboxApi;
  readonly #options: SandboxResolverOptions;
  readonly #visibility: LookupCache<boolean>;
  readonly #placements: LookupCache<Placement | null>;
  readonly #renewals: RecentAnswers<Placement | null>;
  /** The latest labels that the API has told, for as long as a place counts that it does not tell again. */
  readonly #labels: ExpiringLru<string, OwnerLabels>;
  /** Those that had no runner a moment ago. */
  readonly #nowhere: ExpiringLru<string, true>;
  readonly #refusals: RunnerRefusals;

  constructor(api: SandboxApi, options: SandboxResolverOptions) {
    const { store, sealer, cache, now } = options;
    const { maxEntries: max, runnerTtlMs, staleIfErrorMs } = cache;
    const visibility = "sandbox-public";
    const place = "sandbox-runner-info";
    const codec = placementCodec(place, store, sealer);
    this.#api = api;
    this.#options = options;
    this.#visibility = new LookupCache(visibility, booleanCodec, options, {
      onReplaced: (id, wasPublic, isPublic, stored) =>
        wasPublic && !isPublic && options.onPrivate(id, stored),
    });
    this.#placements = new LookupCache(place, codec, options);
    this.#renewals = new RecentAnswers({ max, ttlMs: RENEWAL_PAUSE_MS });
    const ttlMs = runnerTtlMs + staleIfErrorMs;
    this.#labels = new ExpiringLru({ max, ttlMs, now });
    this.#nowhere = new ExpiringLru({ max, ttlMs: NOWHERE_MS, now });
    this.#refusals = new RunnerRefusals(options.upstream);
  }

  /** True if anyone may open the sandbox's ordinary ports; also false if there is no such sandbox. */
  async isPublic(sandboxId: string, budget: Budget): Promise<boolean> {
    return await this.#visibility.lookUp(sandboxId, () => {
      // What an admitted request needs next.
      const ask = () => this.#placementOf(sandboxId, "any");
      this.#placements.prefetch(sandboxId, ask);
      return this.#api.isSandboxPublic(sandboxId);
    }, budget);
  }

  /** Whether it is public, if the answer is in process and fresh; undefined otherwise. */
  isKnownPublic(sandboxId: string): boolean | undefined {
    return this.#visibility.known(sandboxId);
  }

  /** The label itself, as the API finds sandboxes for a proxy by id only. */
  sandboxIdOf(label: string): string {
    return label;
  }

  knownDestination(
    sandboxId: string,
    port: SandboxPort,
  ): Destination | null | undefined {
    const placement = this.#placements.known(sandboxId);
    if (placement?.ownerLabels === null && port !== "toolbox") return undefined;
    return placement && this.#destination(placement, sandboxId, port);
  }

  async destinationOf(
    sandboxId: string,
    port: SandboxPort,
    onMiss: () => void,
  ): Promise<Destination | null> {
    const placement = await this.#placed(sandboxId, port, onMiss);
    return placement && this.#destination(placement, sandboxId, port);
  }

  /** Those that are in process and fresh; undefined otherwise. */
  knownLabels(sandboxId: string): OwnerLabels | undefined {
    return this.#placements.known(sandboxId)?.ownerLabels ?? undefined;
  }

  /** The labels of a sandbox's owner, which are read beside where it is; throws as the other lookups. */
  async labelsOf(sandboxId: string, onMiss: () => void): Promise<OwnerLabels> {
    const placement = this.#nowhere.get(sandboxId)
      ? null
      : await this.#placed(sandboxId, "any", onMiss);
    // One that is archived is nowhere, and has labels all the same.
    return placement?.ownerLabels ??
      await this.#orBefore(sandboxId, this.#askLabels(sandboxId));
  }

  /** Has labels that are past their TTL read again, however slow the API is: they may close ports. */
  async refreshLabels(sandboxId: string): Promise<void> {
    const ask = () => this.#placementOf(sandboxId, "any");
    await this.#placements.refresh(sandboxId, ask);
  }

  /** Asks the API again, once in 5 s, since the sandbox may have moved; the cached place is kept until it answers. */
  async renewDestination(
    sandboxId: string,
    port: SandboxPort,
  ): Promise<Destination | null> {
    const placement = await this.#renewals.once(sandboxId, async () => {
      const renewed = await this.#placementOf(sandboxId, port);
      this.#placements.put(sandboxId, renewed);
      return renewed;
    });
    if (placement === null) return null;
    const labelled = await this.#labelled(placement, sandboxId, port);
    return this.#destination(labelled, sandboxId, port);
  }

  /** Forgets all but a sandbox's labels, which still count if they cannot be read again. */
  async forget(sandboxId: string, change: Change): Promise<void> {
    this.#renewals.forget(sandboxId);
    this.#nowhere.delete(sandboxId);
    await Promise.all([
      this.#visibility.forget(sandboxId, change),
      this.#placements.forget(sandboxId, change),
    ]);
  }

  #destination(
    placement: Placement,
    sandboxId: string,
    sandboxPort: SandboxPort,
  ): Destination {
    const { runner, ownerLabels: labels } = placement;
    const { appOrigin: otherwise } = this.#options;
    const appOrigin = appOriginOn(sandboxPort, labels ?? NO_LABELS, otherwise);
    const rest = { appOrigin, refusals: this.#refusals };
    return runnerDestination(runner, { sandboxId, sandboxPort }, rest);
  }

  /** Where a sandbox is, for whatever comes for that port; null if there is none. */
  async #placed(
    sandboxId: string,
    port: SandboxPort | "any",
    onMiss: () => void,
  ): Promise<Placement | null> {
    let hasAsked = false;
    const find = () =>
      this.#placements.lookUp(
        sandboxId,
        () => {
          hasAsked = true;
          return this.#placementOf(sandboxId, port);
        },
        UNMETERED,
        onMiss,
      );
    const placement = await find().catch((error) => {
      // A question for a port that was joined fails for want of labels, too.
      if (port !== "toolbox" || hasAsked) throw error;
      return find();
    });
    return placement && await this.#labelled(placement, sandboxId, port);
  }

  /** A placement with the labels, which a request to the toolbox has no use for: the next one reads them. */
  async #labelled(
    placement: Placement,
    sandboxId: string,
    port: SandboxPort | "any",
  ): Promise<Placement> {
    if (placement.ownerLabels !== null || port === "toolbox") return placement;
    const asked = this.#askLabels(sandboxId).then((ownerLabels) => {
      // It may have been forgotten meanwhile.
      if (this.#placements.known(sandboxId) === placement) {
        this.#placements.put(sandboxId, { ...placement, ownerLabels });
      }
      return ownerLabels;
    });
    const ownerLabels = await this.#orBefore(sandboxId, asked);
    return { ...placement, ownerLabels };
  }

  /** Asks the API for a sandbox's runner and, unless it is for the toolbox, its labels, at once. */
  async #placementOf(
    sandboxId: string,
    port: SandboxPort | "any",
  ): Promise<Placement | null> {
    const [runner, ownerLabels] = await Promise.all([
      this.#api.runnerOfSandbox(sandboxId),
      port === "toolbox" ? null : this.#askLabels(sandboxId),
    ]);
    if (runner === null) this.#nowhere.set(sandboxId, true);
    return runner && { runner, ownerLabels };
  }

  /** The labels as of now; throws if the API does not tell them: nobody knows what they close. */
  async #askLabels(sandboxId: string): Promise<OwnerLabels> {
    const labels = await this.#api.labelsOf(sandboxId);
    this.#labels.set(sandboxId, labels);
    return labels;
  }

  /** The labels that are asked for, or those told last, if there are some, where that fails or takes too long. */
  async #orBefore(
    sandboxId: string,
    asked: Promise<OwnerLabels>,
  ): Promise<OwnerLabels> {
    const before = this.#labels.get(sandboxId);
    if (before === undefined) return await asked;
    try {
      if (await fulfilsWithin(asked, LABELS_WAIT_MS)) return await asked;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    return before;
  }
}
