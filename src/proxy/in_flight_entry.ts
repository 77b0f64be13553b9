/** One exchange or tunnel in flight, and the state that it shares with all others. */
import type { Config } from "../config/config.ts";
import type { After } from "../lib/after.ts";
import { clientKey } from "../lib/client_key.ts";
import { LinkedList, type ListNode } from "../lib/linked_list.ts";
import { Lru } from "../lib/lru.ts";
import { ClientPlaces, type WaitingClient } from "./client_places.ts";
import { Count, CountById, type IdCount } from "./counts.ts";
import { hostOf, type StreamHandle } from "./stream_handle.ts";

/**
 * Sandboxes of which it is remembered that they may have become private, and names that they lead elsewhere: until what
 * began before that streams.
 */
const MAX_FLIPS = 1_000;

/** The number of exchanges and tunnels that there may be at once. */
export type InFlightLimits =
  & Pick<
    Config["limits"],
    | "concurrentExchanges"
    | "exchangesPerSandbox"
    | "tunnelsPerSandbox"
    | "exchangesPerClient"
    | "tunnels"
    | "tunnelsPerClient"
  >
  & Partial<Pick<Config["limits"], "exchangesPerOrganization">>
  & {
    /** Uploads of unknown length among a client's exchanges; a tenth of these unless given. */
    readonly uploadsPerClient?: number;
  };

/** The share of a client's exchanges that may be uploads of unknown length: Deno does not tell how much they take. */
const UPLOADS_SHARE = 1 / 10;

export type Registry = ReturnType<typeof createRegistry>;

/** The state that a registry and its entries share. */
// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function createRegistry(limits: InFlightLimits, after: After) {
  const { exchangesPerOrganization } = limits;
  function createByOrganization(): CountById | undefined {
    return exchangesPerOrganization === undefined
      ? undefined
      : new CountById(exchangesPerOrganization);
  }
  return {
    limits,
    all: new Count(),
    /** WebSockets, with those that are about to open. */
    tunnels: new Count(),
    /** WebSockets that are open, and so are exchanges no more. */
    openTunnels: 0,
    bySandbox: new CountById(limits.exchangesPerSandbox),
    tunnelsBySandbox: new CountById(limits.tunnelsPerSandbox),
    /** Undefined without a limit. */
    byOrganization: createByOrganization(),
    tunnelsByOrganization: createByOrganization(),
    byClient: new ClientPlaces(
      limits.exchangesPerClient,
      limits.concurrentExchanges,
      after,
    ),
    tunnelsByClient: new CountById(limits.tunnelsPerClient),
    uploadsByClient: new CountById(
      limits.uploadsPerClient ??
        Math.ceil(limits.exchangesPerClient * UPLOADS_SHARE),
    ),
    /** The exchanges that have ended, but whose clients have yet to take the end of the response. */
    undelivered: 0,
    /** Exchanges that last. */
    streaming: new LinkedList<InFlightEntry>(),
    /** How often sandboxes may have become private, and when each did last, by that count. */
    flipCount: 0,
    flips: new Lru<string, number>({ max: MAX_FLIPS }),
    /** How often names began to lead elsewhere, and when each did last, by that count; by hosts without ports. */
    moveCount: 0,
    moves: new Lru<string, number>({ max: MAX_FLIPS }),
    /** The exchanges that were in flight when the drain began; undefined before it. */
    draining: undefined as Count | undefined,
  };
}

/**
 * The place of one exchange or tunnel in the registry. A tunnel is an exchange until it is open, and then a tunnel alone:
 * tabs that hold WebSockets for hours must not take the places of requests.
 */
export class InFlightEntry {
  readonly #registry: Registry;
  readonly #isBeforeDrain: boolean;
  #sandboxId: string | undefined;
  #ofSandbox: IdCount | undefined;
  #ofOrganization: IdCount | undefined;
  #client: string | undefined;
  #ofClient: IdCount | undefined;
  #isTunnel = false;
  #isOpenTunnel = false;
  #tunnelsOfSandbox: IdCount | undefined;
  #tunnelsOfOrganization: IdCount | undefined;
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
    this.#sandboxId = sandboxId;
    this.#ofSandbox = this.#registry.bySandbox.increment(sandboxId);
    return this.#ofSandbox !== undefined;
  }

  /** Counts it against the limits of its sandbox's organization, unless it is already; false if one is reached. */
  reserveForOrganization(organizationId: string): boolean {
    const { byOrganization, tunnelsByOrganization } = this.#registry;
    if (byOrganization === undefined) return true;
    this.#ofOrganization ??= byOrganization.increment(organizationId);
    if (!this.#isTunnel) return this.#ofOrganization !== undefined;
    this.#tunnelsOfOrganization ??= tunnelsByOrganization?.increment(
      organizationId,
    );
    return this.#ofOrganization !== undefined &&
      this.#tunnelsOfOrganization !== undefined;
  }

  /** Counts it against the limit of the client with that address; false if that is reached. */
  reserveForClient(address: string): boolean {
    this.#client = clientKey(address);
    this.#ofClient = this.#registry.byClient.take(this.#client);
    return this.#ofClient !== undefined;
  }

  /** Waits for what {@linkcode InFlightEntry.reserveForClient} did not get; throws as {@linkcode ClientPlaces.wait}. */
  async waitForClient(waiting: WaitingClient): Promise<void> {
    const { byClient } = this.#registry;
    const client = this.#client ?? "";
    const place = await byClient.wait(client, waiting);
    if (this.#hasEnded) byClient.leave(client, place);
    else this.#ofClient = place;
  }

  /** Counts it against the limit of its client's uploads of unknown length, and `most` now; false if either is reached. */
  reserveUploadForClient(most?: number): boolean {
    const { uploadsByClient } = this.#registry;
    if (this.#client === undefined) return true;
    this.#uploadsOfClient = uploadsByClient.increment(this.#client, most);
    return this.#uploadsOfClient !== undefined;
  }

  /**
   * Counts it as a WebSocket that is about to open, of which its client may have `most` now, if that is less; returns
   * the limit reached.
   */
  reserveTunnel(most?: number): "all" | "client" | "sandbox" | undefined {
    const { tunnels, tunnelsByClient, tunnelsBySandbox, limits } =
      this.#registry;
    if (this.#hasEnded || this.#isTunnel) return undefined;
    if (this.#client !== undefined) {
      this.#tunnelsOfClient = tunnelsByClient.increment(this.#client, most);
      if (this.#tunnelsOfClient === undefined) return "client";
    }
    if (this.#sandboxId !== undefined) {
      this.#tunnelsOfSandbox = tunnelsBySandbox.increment(this.#sandboxId);
    }
    const isSandboxFull = this.#sandboxId !== undefined &&
      this.#tunnelsOfSandbox === undefined;
    if (isSandboxFull || tunnels.value >= limits.tunnels) {
      this.#releaseTunnel();
      return isSandboxFull ? "sandbox" : "all";
    }
    this.#isTunnel = true;
    tunnels.increment();
    return undefined;
  }

  /** Gives back its places of an exchange, as its WebSocket is open now. */
  openTunnel(): void {
    if (this.#hasEnded || !this.#isTunnel || this.#isOpenTunnel) return;
    this.#isOpenTunnel = true;
    this.#registry.openTunnels++;
    this.#releaseServed();
    this.#release();
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

  /** Aborts what streams if its caller has lost access, whatever it is by then: an upload, or its response. */
  async recheck(): Promise<void> {
    const hasAccess = await this.#handle?.recheck();
    if (hasAccess === false) this.#handle?.abort("access_revoked");
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
    const { all, tunnels, streaming, draining } = this.#registry;
    all.decrement();
    if (this.#isBeforeDrain) draining?.decrement();
    this.#handle = undefined;
    if (this.#place !== undefined) streaming.remove(this.#place);
    if (this.#isTunnel) {
      tunnels.decrement();
      this.#releaseTunnel();
    }
    if (this.#isOpenTunnel) this.#registry.openTunnels--;
    this.#releaseServed();
    if (delivered === undefined) return this.#release();
    this.#registry.undelivered++;
    delivered.then(() => {
      this.#registry.undelivered--;
      this.#release();
    });
  }

  #releaseTunnel(): void {
    const { tunnelsBySandbox, tunnelsByOrganization, tunnelsByClient } =
      this.#registry;
    tunnelsBySandbox.decrement(this.#tunnelsOfSandbox);
    tunnelsByOrganization?.decrement(this.#tunnelsOfOrganization);
    tunnelsByClient.decrement(this.#tunnelsOfClient);
    this.#tunnelsOfSandbox = undefined;
    this.#tunnelsOfOrganization = undefined;
    this.#tunnelsOfClient = undefined;
  }

  #releaseServed(): void {
    const { bySandbox, byOrganization } = this.#registry;
    bySandbox.decrement(this.#ofSandbox);
    byOrganization?.decrement(this.#ofOrganization);
    this.#ofSandbox = undefined;
    this.#ofOrganization = undefined;
  }

  #release(): void {
    const { byClient, uploadsByClient } = this.#registry;
    if (this.#client !== undefined && this.#ofClient !== undefined) {
      byClient.leave(this.#client, this.#ofClient);
    }
    uploadsByClient.decrement(this.#uploadsOfClient);
    this.#ofClient = undefined;
    this.#uploadsOfClient = undefined;
  }
}
