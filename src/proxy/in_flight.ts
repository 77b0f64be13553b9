/** What is going on right now: exchanges and tunnels, counted for the limit and awaited on the way out. */

/** Why something is ended from our side. */
export type AbortReason =
  /** The gateway goes away. */
  | "going_away"
  /** Its client takes nothing of it any more. */
  | "stalled"
  /** Whoever opened it may not go on with it. */
  | "right_ended";

/** One exchange or tunnel. */
export interface Flight {
  /** Ends it from our side; set once that is possible. */
  abort: ((reason: AbortReason) => void) | undefined;
  /** Since when its client has taken nothing of what waits for it, ms by `performance.now()`; undefined where nothing waits. */
  stalledSince: (() => number | undefined) | undefined;
  /** Tells which sandbox it is for; false where that has too many already. */
  isFor(sandboxId: string): boolean;
  /** Tells that it is a WebSocket; false where there are too many already. */
  becomeTunnel(): boolean;
  /** Whether whoever opened it still may; set on what can last. Never rejects. */
  recheck: (() => Promise<boolean>) | undefined;
  /** Tells that it is over; a second call does nothing. */
  end(): void;
}

/** The registry of everything that would be lost if the process ended now. */
export interface InFlight {
  /** Begins an exchange or tunnel; undefined where the limit is reached. */
  begin(): Flight | undefined;
  readonly count: number;
  /** How many of them are WebSockets. */
  readonly tunnelCount: number;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
  /** Resolves when no WebSocket is. */
  tunnelsOver(): Promise<void>;
  /** Resolves when what was in flight at the first call is over, whatever began since. */
  theseOver(): Promise<void>;
  /** Ends from our side whatever can be ended so. */
  abortAll(): void;
  /** Ends those whose client has taken nothing since `since`, ms by `performance.now()`. */
  endStalled(since: number): void;
  /** Ends what lasts and has lost its right; resolves when all of it was asked, or at once while that is under way. */
  recheckAll(): Promise<void>;
}

/** Rechecks under way at once: each may be a question to the API. */
const RECHECK_BATCH = 32;

/** Flights of one kind, and who waits for the last of them. */
class Register extends Set<Flight> {
  #waiting: PromiseWithResolvers<void> | undefined;

  override delete(flight: Flight): boolean {
    const wasThere = super.delete(flight);
    if (this.size === 0) {
      this.#waiting?.resolve();
      this.#waiting = undefined;
    }
    return wasThere;
  }

  empty(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }
}

/** How many flights there may be. */
export interface InFlightLimits {
  readonly all: number;
  readonly perSandbox: number;
  /** Those that are WebSockets. */
  readonly tunnels: number;
}

/** Creates a registry. */
export function createInFlight(limits: InFlightLimits): InFlight {
  const flights = new Register();
  const bySandbox = new Map<string, number>();
  const tunnels = new Register();
  let these: Register | undefined;
  let isRechecking = false;

  async function recheck(flight: Flight): Promise<void> {
    const mayGoOn = await flight.recheck?.();
    if (mayGoOn === false) flight.abort?.("right_ended");
  }

  return {
    begin() {
      if (flights.size >= limits.all) return undefined;
      let sandboxId: string | undefined;
      const flight: Flight = {
        abort: undefined,
        stalledSince: undefined,
        recheck: undefined,
        isFor(id) {
          const count = bySandbox.get(id) ?? 0;
          if (count >= limits.perSandbox) return false;
          sandboxId = id;
          bySandbox.set(id, count + 1);
          return true;
        },
        becomeTunnel() {
          if (tunnels.size >= limits.tunnels) return false;
          if (flights.has(flight)) tunnels.add(flight);
          return true;
        },
        end() {
          if (!flights.delete(flight)) return;
          if (tunnels.size > 0) tunnels.delete(flight);
          these?.delete(flight);
          if (sandboxId === undefined) return;
          const others = (bySandbox.get(sandboxId) ?? 1) - 1;
          if (others === 0) bySandbox.delete(sandboxId);
          else bySandbox.set(sandboxId, others);
        },
      };
      flights.add(flight);
      return flight;
    },
    get count() {
      return flights.size;
    },
    get tunnelCount() {
      return tunnels.size;
    },
    idle: () => flights.empty(),
    tunnelsOver: () => tunnels.empty(),
    theseOver() {
      these ??= new Register(flights);
      return these.empty();
    },
    abortAll() {
      for (const flight of [...flights]) flight.abort?.("going_away");
    },
    endStalled(since) {
      for (const flight of [...flights]) {
        if ((flight.stalledSince?.() ?? Infinity) <= since) {
          flight.abort?.("stalled");
        }
      }
    },
    async recheckAll() {
      if (isRechecking) return;
      isRechecking = true;
      try {
        const lasting = [...flights].filter((flight) => flight.recheck);
        while (lasting.length > 0) {
          await Promise.all(lasting.splice(0, RECHECK_BATCH).map(recheck));
        }
      } finally {
        isRechecking = false;
      }
    },
  };
}
