/** Facts about sandboxes: whether one is public, and where it is. */
import type { AppOriginMode } from "../../config/config.ts";
import type { DaytonaApi, Runner } from "../../daytona/api.ts";
import { type Awaitable, then } from "../../lib/awaitable.ts";
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
import type { SandboxRecord, SandboxStates } from "../sandbox_states.ts";
import { inTime, notShown, Owners, soon } from "./owners.ts";
import { type Placement, placementCodec, runnerDestination } from "./runner.ts";

/** Minimum time between two renewals of a sandbox's place, ms. */
const RENEWAL_PAUSE_MS = 5000;

/** Time for which labels are asked for alone once there was no runner, ms: as long as such an answer counts. */
const NOWHERE_MS = 2000;

/** Most runners that are kept: Daytona's largest installations have some hundreds. */
const MAX_RUNNERS = 4096;

type SandboxApi =
  & Pick<DaytonaApi, "isSandboxPublic" | "runnerOfSandbox">
  & Pick<SandboxStates, "recordOf">;

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
  readonly #owners: Owners;
  /** Runners that the API has told of, by their ids: it need not say again where they are. */
  readonly #runners: ExpiringLru<string, Runner>;
  /** Sandboxes that had no runner a moment ago. */
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
    // As long as a place may count that the API does not tell again.
    const ttlMs = runnerTtlMs;
    this.#owners = new Owners(api, { max, ttlMs, staleIfErrorMs, now });
    this.#runners = new ExpiringLru({
      max: MAX_RUNNERS,
      ttlMs: runnerTtlMs,
      now,
    });
    this.#nowhere = new ExpiringLru({ max, ttlMs: NOWHERE_MS, now });
    this.#refusals = new RunnerRefusals(options.upstream);
  }

  /** True if anyone may open the sandbox's ordinary ports; also false if there is no such sandbox. */
  isPublic(sandboxId: string, budget: Budget): Awaitable<boolean> {
    return this.#visibility.lookUp(sandboxId, () => {
      // What an admitted request needs next.
      const ask = () => this.#placementOf(sandboxId, "any");
      this.#placements.prefetch(sandboxId, ask);
      // Not the record, which the API may repeat to a proxy for 10 s, whatever changes.
      return this.#api.isSandboxPublic(sandboxId);
    }, budget);
  }

  /** The label itself, as the API finds sandboxes for a proxy by id only. */
  sandboxIdOf(label: string): string {
    return label;
  }

  destinationOf(
    sandboxId: string,
    port: SandboxPort,
    onMiss: () => void,
  ): Awaitable<Destination | null> {
    return then(
      this.#placed(sandboxId, port, onMiss),
      (placement) => placement && this.#destination(placement, sandboxId, port),
    );
  }

  /** The labels of a sandbox's owner, which are read beside where it is; throws as the other lookups. */
  labelsOf(sandboxId: string, onMiss: () => void): Awaitable<OwnerLabels> {
    return this.#placements.known(sandboxId)?.owner?.labels ??
      this.#askLabels(sandboxId, onMiss);
  }

  async #askLabels(sandboxId: string, onMiss: () => void) {
    const placement = this.#nowhere.get(sandboxId)
      ? null
      : await this.#placed(sandboxId, "any", onMiss);
    if (placement?.owner) return placement.owner.labels;
    // One that is archived is nowhere, and has labels all the same; one that has no record either is gone.
    const asked = this.#owners.recordOf(sandboxId);
    const isGone = placement === null && await inTime(asked) === null;
    if (isGone) return NO_LABELS;
    return (await this.#owners.orBefore(sandboxId, asked)).labels;
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
      const renewed = await this.#placementOf(sandboxId, port, "renew");
      // One whose labels nobody tells is for whoever asks now.
      if (renewed?.owner !== null) this.#placements.put(sandboxId, renewed);
      return renewed;
    });
    if (placement === null) return null;
    const owned = await this.#owned(placement, sandboxId, port);
    return this.#destination(owned, sandboxId, port);
  }

  /** Forgets all but a sandbox's owner, who still counts if nobody can tell who it is. */
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
    const { runner } = placement;
    const owner = placement.owner ?? this.#owners.before(sandboxId);
    const labels = owner?.labels ?? NO_LABELS;
    const { appOrigin } = this.#options;
    return runnerDestination(runner, { sandboxId, sandboxPort }, {
      appOrigin: appOriginOn(sandboxPort, labels, appOrigin),
      refusals: this.#refusals,
      organizationId: owner?.organizationId ?? undefined,
    });
  }

  /** Where a sandbox is, for whatever comes for that port; null if there is none. */
  #placed(
    sandboxId: string,
    port: SandboxPort | "any",
    onMiss: () => void,
  ): Awaitable<Placement | null> {
    const known = this.#placements.known(sandboxId);
    return known === undefined
      ? this.#findPlace(sandboxId, port, onMiss)
      : known && this.#owned(known, sandboxId, port);
  }

  async #findPlace(
    sandboxId: string,
    port: SandboxPort | "any",
    onMiss: () => void,
  ): Promise<Placement | null> {
    let hasAsked = false;
    const find = async () =>
      await this.#placements.lookUp(
        sandboxId,
        () => {
          hasAsked = true;
          return this.#placementOf(sandboxId, port);
        },
        UNMETERED,
        onMiss,
      );
    const placement = await find().catch((error) => {
      // A question for a port that was joined fails for want of an owner, too.
      if (port !== "toolbox" || hasAsked) throw error;
      return find();
    });
    return placement && await this.#owned(placement, sandboxId, port);
  }

  /** Whether somebody has to be asked whose it is: a toolbox, which no label closes, can do without for a while. */
  #lacksOwner(
    { owner }: Placement,
    sandboxId: string,
    port: SandboxPort | "any",
  ): boolean {
    return owner === null &&
      (port !== "toolbox" || !this.#owners.isUntold(sandboxId));
  }

  /** A placement with its owner, as far as `port` cannot do without. */
  #owned(
    placement: Placement,
    sandboxId: string,
    port: SandboxPort | "any",
  ): Awaitable<Placement> {
    return this.#lacksOwner(placement, sandboxId, port)
      ? this.#askOwner(placement, sandboxId, port)
      : placement;
  }

  async #askOwner(
    placement: Placement,
    sandboxId: string,
    port: SandboxPort | "any",
  ): Promise<Placement> {
    const asked = this.#owners.recordOf(sandboxId).then((record) => {
      // It may have been forgotten meanwhile.
      if (record && this.#placements.known(sandboxId) === placement) {
        const { owner } = record;
        this.#placements.put(sandboxId, { ...placement, owner });
      }
      return record;
    });
    const owner = port === "toolbox"
      ? await this.#owners.ifTold(sandboxId, asked)
      : await this.#owners.orBefore(sandboxId, asked);
    return { ...placement, owner };
  }

  /**
   * Asks the API for a sandbox's record, and for its runner, unless it is one that is known and not to be renewed. What is
   * renewed has no owner if the API does not tell: the one of before may do. A sandbox without a record is gone if nobody
   * knows a runner either; otherwise that is none of which nothing is closed.
   */
  async #placementOf(
    sandboxId: string,
    port: SandboxPort | "any",
    way?: "renew",
  ): Promise<Placement | null> {
    const asked = this.#owners.recordOf(sandboxId);
    const isRenewal = way === "renew";
    const doesWithout = port === "toolbox" || isRenewal;
    const told = () => doesWithout ? inTime(asked) : soon(asked);
    const [runner, owner] = await Promise.all([
      this.#runnerOf(sandboxId, isRenewal ? undefined : told),
      port === "toolbox"
        ? this.#owners.ifTold(sandboxId, asked)
        : (isRenewal ? inTime(asked) : asked)
          .then((record) => record?.owner ?? null),
    ]);
    if (runner === null) this.#nowhere.set(sandboxId, true);
    else if (owner === null && !doesWithout) throw notShown();
    return runner && { runner, owner };
  }

  /** The runner that the record names, if that is known; otherwise the one that the API tells. */
  async #runnerOf(
    sandboxId: string,
    told: (() => Promise<SandboxRecord | null | undefined>) | undefined,
  ): Promise<Runner | null> {
    // As long as no runner is known, there is nothing to wait for.
    const record = this.#runners.size > 0 ? await told?.() : undefined;
    const known = this.#runners.get(record?.runnerId ?? "");
    if (known !== undefined) return known;
    const runner = await this.#api.runnerOfSandbox(sandboxId);
    if (runner?.id) this.#runners.set(runner.id, runner);
    return runner;
  }
}
