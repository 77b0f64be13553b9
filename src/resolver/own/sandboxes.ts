/** Facts about sandboxes: whether one is public, and where it is. */
import { LRUCache } from "lru-cache";
import type { AppOriginMode } from "../../config/config.ts";
import type { DaytonaApi } from "../../daytona/api.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { Sealer } from "../../lib/seal.ts";
import { booleanCodec } from "../codecs.ts";
import type { Destination, Destinations, SandboxPort } from "../destination.ts";
import {
  type Budget,
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "../lookup_cache.ts";
import {
  appOriginOn,
  NO_LABELS,
  NO_OWNER,
  type Owner,
  type OwnerLabels,
} from "../owner_labels.ts";
import type { ProbeClient } from "../refusals/probe.ts";
import { RecentAnswers } from "../refusals/recent_answers.ts";
import { RunnerRefusals } from "../refusals/runner_refusals.ts";
import type { Change } from "../sandbox_changes.ts";
import type { SandboxStates } from "../sandbox_states.ts";
import { type Placement, placementCodec, runnerDestination } from "./runner.ts";

/** Minimum time between two renewals of a sandbox's place, ms. */
const RENEWAL_PAUSE_MS = 5000;

/** Longest wait for a sandbox's labels, ms: they only refine the answer. */
const LABELS_WAIT_MS = 1000;

/** The owner of a sandbox while nobody has asked. */
const UNREAD = { labels: null, organizationId: null };

type SandboxApi =
  & Pick<DaytonaApi, "isSandboxPublic" | "runnerOfSandbox">
  & Pick<SandboxStates, "ownerOf">;

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
  /** The latest owners of sandboxes: they still count if they cannot be read again. */
  readonly #owners: LRUCache<string, Owner>;
  readonly #refusals: RunnerRefusals;

  constructor(api: SandboxApi, options: SandboxResolverOptions) {
    const { store, sealer, cache: { maxEntries: max } } = options;
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
    this.#owners = new LRUCache({ max });
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
    if (placement?.labels === null && port !== "toolbox") return undefined;
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

  /** The labels of a sandbox's owner, which are read beside where it is; throws as the other lookups. */
  async labelsOf(sandboxId: string, onMiss: () => void): Promise<OwnerLabels> {
    const placement = await this.#placed(sandboxId, "any", onMiss);
    return placement?.labels ?? NO_LABELS;
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

  /** Forgets all but a sandbox's owner, who still counts if that cannot be read again. */
  async forget(sandboxId: string, change: Change): Promise<void> {
    this.#renewals.forget(sandboxId);
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
    const { runner, labels, organizationId } = placement;
    const { appOrigin: otherwise } = this.#options;
    const appOrigin = appOriginOn(sandboxPort, labels ?? NO_LABELS, otherwise);
    return runnerDestination(runner, { sandboxId, sandboxPort }, {
      appOrigin,
      refusals: this.#refusals,
      organizationId: organizationId ?? undefined,
    });
  }

  /** Where a sandbox is, for whatever comes for that port; null if there is none. */
  async #placed(
    sandboxId: string,
    port: SandboxPort | "any",
    onMiss: () => void,
  ): Promise<Placement | null> {
    const ask = () => this.#placementOf(sandboxId, port);
    const placement = await this.#placements
      .lookUp(sandboxId, ask, UNMETERED, onMiss);
    return placement && await this.#labelled(placement, sandboxId, port);
  }

  /** A placement with the labels, which a request to the toolbox has no use for: the next one reads them. */
  async #labelled(
    placement: Placement,
    sandboxId: string,
    port: SandboxPort | "any",
  ): Promise<Placement> {
    if (placement.labels !== null || port === "toolbox") return placement;
    const labelled = { ...placement, ...await this.#ownerOf(sandboxId) };
    // It may have been forgotten meanwhile.
    if (this.#placements.known(sandboxId) === placement) {
      this.#placements.put(sandboxId, labelled);
    }
    return labelled;
  }

  /** Asks the API for a sandbox's runner and, unless it is for the toolbox, its owner, at once. */
  async #placementOf(sandboxId: string, port: SandboxPort | "any") {
    const [runner, owner] = await Promise.all([
      this.#api.runnerOfSandbox(sandboxId),
      port === "toolbox" ? UNREAD : this.#ownerOf(sandboxId),
    ]);
    return runner && { runner, ...owner };
  }

  /** The sandbox's owner; the one known so far if the API cannot tell now. */
  async #ownerOf(sandboxId: string): Promise<Owner> {
    const asked = this.#api.ownerOf(sandboxId);
    const owner = await fulfilsWithin(asked, LABELS_WAIT_MS)
      ? await asked
      : undefined;
    if (owner !== undefined) this.#owners.set(sandboxId, owner);
    return this.#owners.get(sandboxId) ?? NO_OWNER;
  }
}
