/** What is going on right now: exchanges and tunnels, counted for the limit and awaited on the way out. */

/** Why something is ended from our side. */
export type AbortReason =
  /** The gateway goes away. */
  | "going_away"
  /** Whoever opened it may not go on with it. */
  | "right_ended";

/** One exchange or tunnel. */
export interface Flight {
  /** Ends it from our side; set once that is possible. */
  abort: ((reason: AbortReason) => void) | undefined;
  /** Tells that it is a WebSocket. */
  becomeTunnel(): void;
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
  /** Ends from our side whatever can be ended so. */
  abortAll(): void;
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

/** Creates a registry of at most `limit` flights. */
export function createInFlight(limit: number): InFlight {
  const flights = new Register();
  const tunnels = new Register();
  let isRechecking = false;

  async function recheck(flight: Flight): Promise<void> {
    const mayGoOn = await flight.recheck?.();
    if (mayGoOn === false) flight.abort?.("right_ended");
  }

  return {
    begin() {
      if (flights.size >= limit) return undefined;
      const flight: Flight = {
        abort: undefined,
        recheck: undefined,
        becomeTunnel() {
          if (flights.has(flight)) tunnels.add(flight);
        },
        end() {
          flights.delete(flight);
          if (tunnels.size > 0) tunnels.delete(flight);
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
    abortAll() {
      for (const flight of [...flights]) flight.abort?.("going_away");
    },
    async recheckAll() {
      if (isRechecking) return;
      isRechecking = true;
      const lasting = [...flights].filter((flight) => flight.recheck);
      while (lasting.length > 0) {
        await Promise.all(lasting.splice(0, RECHECK_BATCH).map(recheck));
      }
      isRechecking = false;
    },
  };
}
