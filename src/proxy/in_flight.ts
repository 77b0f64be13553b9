/** The registry of exchanges and tunnels in flight: counted for the limits, awaited and aborted on shutdown. */
import { LRUCache } from "lru-cache";
import type { Config } from "../config/config.ts";
import type { AbortReason } from "../downstream/ends.ts";
import { type Sleep, sleep } from "../lib/backoff.ts";
import { clientKey } from "../lib/client_key.ts";
import { areDescriptorsShort } from "../lib/descriptors.ts";
import { LinkedList, type ListNode } from "../lib/linked_list.ts";
import type { LimitUse } from "../observability/metrics/facts.ts";
import { Count, CountById, type IdCount } from "./counts.ts";

/** What of a sandbox somebody was admitted to. */
export interface Served {
  readonly sandboxId: string;
  /** Whose sandbox it is; undefined unless the API has told, and the request went there. */
  readonly organizationId: string | undefined;
  /** The name that was asked for, with its port; undefined if none was. */
  readonly name: string | undefined;
}

/** Controls an upload, a download or a tunnel while it lasts. */
export interface StreamHandle {
  /** Ends it from our side. */
  abort(reason: AbortReason): void;
  /** Since when the client has not read what is ready for it, ms by `performance.now()`; undefined if nothing is. */
  stalledSince?(): number | undefined;
  /** True if the caller still has access. Never rejects. */
  recheck(): Promise<boolean>;
  /** What is sent or received, as far as is known now; undefined if it is nothing of a sandbox. */
  served?(): Served | undefined;
  /** The sandbox that admitted the caller by being public; undefined for any other reason. */
  readonly publicSandbox?: string | undefined;
  /** The name that was asked for, with its port; undefined if none was. */
  readonly name?: string | undefined;
  /** Ends what must begin anew where its name leads now; undefined if it may go on. */
  readonly move?: (() => void) | undefined;
}

/**
 * Sandboxes of which it is remembered that they may have become private, and names that they lead elsewhere: until what
 * began before that streams.
 */
const MAX_FLIPS = 1_000;

/** What is rechecked of all sandboxes. */
const ALL = "all";

/** Most rechecks that run at once: each may take an API call. */
const RECHECK_BATCH = 32;

/** The shortest time between two steps in which a drain that has timed out aborts what is left, ms. */
const ABORT_STEP_MS = 20;

/** The exchanges under way of one sandbox. */
export interface SandboxCount {
  readonly sandboxId: string;
  readonly tunnels: number;
}

/** The number of exchanges and tunnels that there may be at once. */
export type InFlightLimits =
  & Pick<
    Config["limits"],
    | "concurrentExchanges"
    | "exchangesPerSandbox"
    | "exchangesPerClient"
    | "tunnels"
    | "tunnelsPerClient"
  >
  & Partial<Pick<Config["limits"], "exchangesPerOrganization">>;

/** The limits of requests for the gateway's own pages, which have a registry of their own. */
export const OWN_PAGES_LIMITS: InFlightLimits = {
  concurrentExchanges: 1000,
  exchangesPerSandbox: 0,
  exchangesPerClient: 100,
  tunnels: 0,
  tunnelsPerClient: 0,
};

/** The share of a client's exchanges that may be uploads of unknown length: Deno does not tell how much they take. */
const UPLOADS_SHARE = 1 / 10;

type Registry = ReturnType<typeof createRegistry>;

/** The state that a registry and its entries share. */
function createRegistry(limits: InFlightLimits) {
  const { exchangesPerOrganization } = limits;
  return {
    limits,
    all: new Count(),
    tunnels: new Count(),
    bySandbox: new CountById(limits.exchangesPerSandbox),
    /** Undefined without a limit. */
    byOrganization: exchangesPerOrganization === undefined
      ? undefined
      : new CountById(exchangesPerOrganization),
    byClient: new CountById(limits.exchangesPerClient),
    tunnelsByClient: new CountById(limits.tunnelsPerClient),
    uploadsByClient: new CountById(
      Math.ceil(limits.exchangesPerClient * UPLOADS_SHARE),
    ),
    /** The exchanges that have ended, but whose clients have yet to take the end of the response. */
    undelivered: 0,
    /** Those that last. */
    streaming: new LinkedList<InFlightEntry>(),
    /** How often sandboxes may have become private, and when each did last, by that count. */
    flipCount: 0,
    flips: new LRUCache<string, number>({ max: MAX_FLIPS }),
    /** How often names began to lead elsewhere, and when each did last, by that count; by hosts without ports. */
    moveCount: 0,
    moves: new LRUCache<string, number>({ max: MAX_FLIPS }),
    /** The exchanges that were in flight when the drain began; undefined before it. */
    draining: undefined as Count | undefined,
  };
}

/** The place of one exchange or tunnel in the registry. */
export class InFlightEntry {
  readonly #registry: Registry;
  readonly #isBeforeDrain: boolean;
  #ofSandbox: IdCount | undefined;
  #ofOrganization: IdCount | undefined;
  #client: string | undefined;
  #ofClient: IdCount | undefined;
  #isTunnel = false;
  #tunnelsOfClient: IdCount | undefined;
  #uploadsOfClient: IdCount | undefined;
  #handle: StreamHandle | undefined;
  #place: ListNode<InFlightEntry> | undefined;
  /** The registry's count of flips when access was known last. */
  #flipsSeen = 0;
  /** The registry's count of moves when it began: since then, it is on its way to where its name led. */
  readonly #movesSeen: number;
  #hasEnded = false;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#movesSeen = registry.moveCount;
    this.#isBeforeDrain = registry.draining === undefined;
    registry.all.increment();
  }

  /** Counts it against the limit of the sandbox to which it was just admitted; false if that is reached. */
  reserveFor(sandboxId: string): boolean {
    this.#flipsSeen = this.#registry.flipCount;
    this.#ofSandbox = this.#registry.bySandbox.increment(sandboxId);
    return this.#ofSandbox !== undefined;
  }

  /** Counts it against the limit of its sandbox's organization, unless it is already; false if that is reached. */
  reserveForOrganization(organizationId: string): boolean {
    const { byOrganization } = this.#registry;
    this.#ofOrganization ??= byOrganization?.increment(organizationId);
    return byOrganization === undefined || this.#ofOrganization !== undefined;
  }

  /** Counts it against the limit of the client with that address; false if that is reached. */
  reserveForClient(address: string): boolean {
    this.#client = clientKey(address);
    this.#ofClient = this.#registry.byClient.increment(this.#client);
    return this.#ofClient !== undefined;
  }

  /** Counts it against the limit of its client's uploads of unknown length, and `most` now; false if either is reached. */
  reserveUploadForClient(most?: number): boolean {
    const { uploadsByClient } = this.#registry;
    if (this.#client === undefined) return true;
    this.#uploadsOfClient = uploadsByClient.increment(this.#client, most);
    return this.#uploadsOfClient !== undefined;
  }

  /** Counts it as a WebSocket, of which its client may have `most` now, if that is less; returns the limit reached. */
  reserveTunnel(most?: number): "all" | "client" | undefined {
    const { tunnels, tunnelsByClient, limits } = this.#registry;
    if (this.#hasEnded || this.#isTunnel) return undefined;
    if (this.#client !== undefined) {
      const ofClient = tunnelsByClient.increment(this.#client, most);
      if (ofClient === undefined) return "client";
      if (tunnels.value >= limits.tunnels) {
        tunnelsByClient.decrement(ofClient);
        return "all";
      }
      this.#tunnelsOfClient = ofClient;
    } else if (tunnels.value >= limits.tunnels) return "all";
    this.#isTunnel = true;
    tunnels.increment();
    if (this.#ofSandbox !== undefined) this.#ofSandbox.tunnels++;
    return undefined;
  }

  /** Registers the handle of one that lasts, in place of an earlier one. */
  setHandle(handle: StreamHandle): void {
    if (this.#hasEnded) return;
    this.#handle = handle;
    this.#place ??= this.#registry.streaming.add(this);
    const { publicSandbox = "" } = handle;
    const flip = this.#registry.flips.get(publicSandbox) ?? 0;
    if (flip > this.#flipsSeen) this.recheck();
    this.#flipsSeen = this.#registry.flipCount;
    const movedAt = this.#registry.moves.get(hostOf(handle)) ?? 0;
    if (movedAt > this.#movesSeen) handle.move?.();
  }

  /** Aborts what streams if its caller has lost access. */
  async recheck(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    const hasAccess = await handle.recheck();
    if (!hasAccess && this.#handle === handle) handle.abort("access_revoked");
  }

  get handle(): StreamHandle | undefined {
    return this.#handle;
  }

  get isTunnel(): boolean {
    return this.#isTunnel;
  }

  /**
   * Takes it out of the registry; idempotent. It counts against the limits of the gateway and the client until `delivered`
   * resolves, which must not reject: until then, the front keeps the end of the response.
   */
  end(delivered?: Promise<void>): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { all, tunnels, bySandbox, byOrganization, streaming, draining } =
      this.#registry;
    all.decrement();
    if (this.#isTunnel) tunnels.decrement();
    if (this.#isBeforeDrain) draining?.decrement();
    this.#handle = undefined;
    if (this.#place !== undefined) streaming.remove(this.#place);
    if (this.#isTunnel && this.#ofSandbox) this.#ofSandbox.tunnels--;
    bySandbox.decrement(this.#ofSandbox);
    byOrganization?.decrement(this.#ofOrganization);
    if (delivered === undefined) return this.#release();
    this.#registry.undelivered++;
    delivered.then(() => {
      this.#registry.undelivered--;
      this.#release();
    });
  }

  #release(): void {
    const { byClient, tunnelsByClient, uploadsByClient } = this.#registry;
    byClient.decrement(this.#ofClient);
    tunnelsByClient.decrement(this.#tunnelsOfClient);
    uploadsByClient.decrement(this.#uploadsOfClient);
  }
}

/**
 * Everything that would be lost if the process ended now. Most exchanges end with their response head and are only
 * counted: a collection of all of them would be a long-lived object that points the garbage collector at every
 * short-lived one.
 */
export class InFlight {
  readonly #registry: Registry;
  /** What is being rechecked, and whether once more after that. */
  readonly #rechecking = new Map<string, boolean>();

  constructor(limits: InFlightLimits) {
    this.#registry = createRegistry(limits);
  }

  /** Adds an exchange or tunnel; undefined if the limit is reached, or file descriptors are short. */
  begin(): InFlightEntry | undefined {
    const { all, undelivered, limits } = this.#registry;
    const isFull = all.value + undelivered >= limits.concurrentExchanges;
    return isFull || areDescriptorsShort()
      ? undefined
      : new InFlightEntry(this.#registry);
  }

  get count(): number {
    return this.#registry.all.value;
  }

  /** The number of WebSockets among them. */
  get tunnelCount(): number {
    return this.#registry.tunnels.value;
  }

  /** How much of each limit for one sandbox, organization or client is in use, by the one that has most. */
  limitsPerEach(): LimitUse[] {
    const { bySandbox, byOrganization, byClient, tunnelsByClient } =
      this.#registry;
    return Object.entries({
      MAX_EXCHANGES_PER_SANDBOX: bySandbox,
      ...byOrganization && { MAX_EXCHANGES_PER_ORGANIZATION: byOrganization },
      MAX_EXCHANGES_PER_CLIENT: byClient,
      MAX_TUNNELS_PER_CLIENT: tunnelsByClient,
    }).map(([name, counts]) => (
      { name, used: counts.largest(), limit: counts.limit }
    ));
  }

  limitsInUse(): LimitUse[] {
    const { all, undelivered, tunnels, limits } = this.#registry;
    return [
      {
        name: "MAX_CONCURRENT_EXCHANGES",
        used: all.value + undelivered,
        limit: limits.concurrentExchanges,
      },
      { name: "MAX_TUNNELS", used: tunnels.value, limit: limits.tunnels },
      ...this.limitsPerEach(),
    ];
  }

  sandboxesByTunnels(count: number): SandboxCount[] {
    return this.#registry.bySandbox.topByTunnels(count)
      .map(([sandboxId, tunnels]) => ({ sandboxId, tunnels }));
  }

  idle(): Promise<void> {
    return this.#registry.all.zero();
  }

  noTunnels(): Promise<void> {
    return this.#registry.tunnels.zero();
  }

  /** Fixes what {@linkcode InFlight.drained} waits for: everything that is in flight now. A second call does nothing. */
  startDraining(): void {
    const registry = this.#registry;
    registry.draining ??= new Count(registry.all.value);
  }

  /** Resolves once all that has ended; at once if no drain was started. */
  async drained(): Promise<void> {
    await this.#registry.draining?.zero();
  }

  abortAll(): void {
    for (const entry of [...this.#registry.streaming]) {
      entry.handle?.abort("going_away");
    }
  }

  /** Aborts the WebSockets alone. */
  abortTunnels(): void {
    for (const entry of [...this.#registry.streaming]) {
      if (entry.isTunnel) entry.handle?.abort("going_away");
    }
  }

  /** Aborts what streams now over about `ms` ms, so that not all clients come back at once; `signal` ends it early. */
  async abortWithin(
    ms: number,
    signal: AbortSignal,
    wait: Sleep = sleep,
  ): Promise<void> {
    const waiting = [...this.#registry.streaming];
    const steps = Math.min(waiting.length, Math.ceil(ms / ABORT_STEP_MS));
    for (let left = steps; left > 0 && !signal.aborted; left--) {
      const share = waiting.splice(0, Math.ceil(waiting.length / left));
      for (const entry of share) entry.handle?.abort("going_away");
      if (left > 1) await wait(ms / steps, signal).catch(() => {});
    }
  }

  /** Ends the WebSockets by these names, which lead elsewhere now, those too that are about to open; hosts without ports. */
  moveNames(hosts: ReadonlySet<string>): void {
    const registry = this.#registry;
    registry.moveCount++;
    for (const host of hosts) registry.moves.set(host, registry.moveCount);
    for (const { handle } of [...registry.streaming]) {
      if (handle && hosts.has(hostOf(handle))) handle.move?.();
    }
  }

  /** Aborts what streams of sandboxes and is meant, as nobody is let in there any more. */
  abortWhere(isMeant: (served: Served) => boolean): void {
    for (const { handle } of [...this.#registry.streaming]) {
      const served = handle?.served?.();
      if (served && isMeant(served)) handle?.abort("access_revoked");
    }
  }

  /** The names by which something streams, without ports; the empty one if something does by none. */
  get namesInUse(): ReadonlySet<string> {
    const streaming = [...this.#registry.streaming];
    return new Set(streaming.map(({ handle }) => hostOf(handle ?? {})));
  }

  /** Aborts what has been stalled since `since` or longer, ms by `performance.now()`. */
  abortStalled(since: number): void {
    for (const { handle } of [...this.#registry.streaming]) {
      if ((handle?.stalledSince?.() ?? Infinity) <= since) {
        handle?.abort("stalled");
      }
    }
  }

  /** Aborts what streams for callers who have lost access; does nothing while an earlier call still rechecks. */
  async recheckAll(): Promise<void> {
    await this.#recheckOnce(ALL, () => true);
  }

  /**
   * Does so for callers whom a sandbox's being public has admitted, in one pass over all that streams if it has any; what
   * streams later is rechecked then.
   */
  async recheckPublic(sandboxId: string): Promise<void> {
    const registry = this.#registry;
    if (registry.bySandbox.of(sandboxId) === 0) return;
    registry.flips.set(sandboxId, ++registry.flipCount);
    await this.#recheckOnce(
      `of ${sandboxId}`,
      ({ handle }) => handle?.publicSandbox === sandboxId,
    );
  }

  async #recheckOnce(
    which: string,
    isMeant: (entry: InFlightEntry) => boolean,
  ): Promise<void> {
    const isUnderWay = this.#rechecking.has(which);
    this.#rechecking.set(which, isUnderWay);
    if (isUnderWay) return;
    try {
      for (let isDone = false; !isDone;) {
        this.#rechecking.set(which, false);
        const waiting = [...this.#registry.streaming].filter(isMeant);
        while (waiting.length > 0) {
          const batch = waiting.splice(0, RECHECK_BATCH);
          await Promise.all(batch.map((entry) => entry.recheck()));
        }
        isDone = which === ALL || this.#rechecking.get(which) !== true;
      }
    } finally {
      this.#rechecking.delete(which);
    }
  }
}

/** The name that was asked for, without a port; empty if none was. */
function hostOf({ name = "" }: Pick<StreamHandle, "name">): string {
  return name.replace(/:[0-9]+$/, "");
}
