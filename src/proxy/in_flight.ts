/** The registry of exchanges and tunnels in flight: counted for the limits, awaited and aborted on shutdown. */
import { type After, afterTimer } from "../lib/after.ts";
import { type Sleep, sleep } from "../lib/backoff.ts";
import { areDescriptorsShort } from "../lib/descriptors.ts";
import type { LimitUse } from "../observability/metrics/facts.ts";
import { Count } from "./counts.ts";
import {
  createRegistry,
  InFlightEntry,
  type InFlightLimits,
  type Registry,
} from "./in_flight_entry.ts";
import { Rechecks } from "./rechecks.ts";
import { hostOf, type Served } from "./stream_handle.ts";

/** The shortest time between two steps in which a drain that has timed out aborts what is left, ms. */
const ABORT_STEP_MS = 20;

/** The exchanges under way of one sandbox. */
export interface SandboxCount {
  readonly sandboxId: string;
  readonly tunnels: number;
}

/** The limits of requests for the gateway's own pages, which have a registry of their own. */
export const OWN_PAGES_LIMITS: InFlightLimits = {
  concurrentExchanges: 1000,
  exchangesPerSandbox: 0,
  tunnelsPerSandbox: 0,
  exchangesPerClient: 100,
  uploadsPerClient: 50,
  tunnels: 0,
  tunnelsPerClient: 0,
};

/**
 * Everything that would be lost if the process ended now. Most exchanges end with their response head and are only
 * counted: a collection of all of them would be a long-lived object that points the garbage collector at every
 * short-lived one.
 */
export class InFlight {
  readonly #registry: Registry;
  readonly #rechecks: Rechecks<InFlightEntry>;

  constructor(limits: InFlightLimits, after: After = afterTimer) {
    this.#registry = createRegistry(limits, after);
    this.#rechecks = new Rechecks(this.#registry.streaming);
  }

  /** Adds an exchange or tunnel; undefined if the limit is reached, or file descriptors are short. */
  begin(): InFlightEntry | undefined {
    const { undelivered, limits } = this.#registry;
    const used = this.exchangeCount + undelivered;
    return used >= limits.concurrentExchanges || areDescriptorsShort()
      ? undefined
      : new InFlightEntry(this.#registry);
  }

  get count(): number {
    return this.#registry.all.value;
  }

  /** The number of exchanges among them: all but open WebSockets, and those that wait for a place of their client's. */
  get exchangeCount(): number {
    const { all, openTunnels } = this.#registry;
    return all.value - openTunnels - this.queued;
  }

  /** The number of WebSockets among them, with those that are about to open. */
  get tunnelCount(): number {
    return this.#registry.tunnels.value;
  }

  /**
   * How much of each limit for one sandbox, organization or client is in use, by the one that has most. An organization
   * may have as many WebSockets as requests: it is told of which it has more.
   */
  limitsPerEach(): LimitUse[] {
    const registry = this.#registry;
    const { byOrganization, tunnelsByOrganization } = registry;
    const perEach = Object.entries({
      MAX_EXCHANGES_PER_SANDBOX: [registry.bySandbox],
      TUNNELS_PER_SANDBOX: [registry.tunnelsBySandbox],
      ...byOrganization && tunnelsByOrganization && {
        MAX_EXCHANGES_PER_ORGANIZATION: [byOrganization, tunnelsByOrganization],
      },
      MAX_EXCHANGES_PER_CLIENT: [registry.byClient.counts],
      MAX_TUNNELS_PER_CLIENT: [registry.tunnelsByClient],
    }).map(([name, counts]) => ({
      name,
      used: Math.max(...counts.map((each) => each.largest())),
      limit: Math.max(...counts.map(({ limit }) => limit)),
    }));
    return [...perEach, registry.byClient.limitInUse];
  }

  limitsInUse(): LimitUse[] {
    const { undelivered, tunnels, limits } = this.#registry;
    return [
      {
        name: "MAX_CONCURRENT_EXCHANGES",
        used: this.exchangeCount + undelivered,
        limit: limits.concurrentExchanges,
      },
      { name: "MAX_TUNNELS", used: tunnels.value, limit: limits.tunnels },
      ...this.limitsPerEach(),
    ];
  }

  /** How many wait for a place of their client's. */
  get queued(): number {
    return this.#registry.byClient.queued;
  }

  /** From now on, nobody does: they are refused with `draining`, and may be sent to another gateway. */
  refuseQueued(): void {
    this.#registry.byClient.refuseWaiting();
  }

  sandboxesByTunnels(count: number): SandboxCount[] {
    return this.#registry.tunnelsBySandbox.top(count)
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
    await this.#rechecks.all();
  }

  /**
   * Does so for callers whom a sandbox's being public has admitted, in one pass over all that streams if it has any; what
   * streams later is rechecked then.
   */
  async recheckPublic(sandboxId: string): Promise<void> {
    const registry = this.#registry;
    const { bySandbox, tunnelsBySandbox } = registry;
    if (bySandbox.of(sandboxId) + tunnelsBySandbox.of(sandboxId) === 0) return;
    registry.flips.set(sandboxId, ++registry.flipCount);
    await this.#rechecks.of(
      sandboxId,
      ({ handle }) => handle?.publicSandbox === sandboxId,
    );
  }
}
