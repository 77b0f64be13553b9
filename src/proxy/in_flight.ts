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
  /** Whether it is a WebSocket. */
  isTunnel: boolean;
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
  /** Ends from our side whatever can be ended so. */
  abortAll(): void;
  /** Ends what lasts and has lost its right; resolves when all of it was asked, or at once while that is under way. */
  recheckAll(): Promise<void>;
}

/** Rechecks under way at once: each may be a question to the API. */
const RECHECK_BATCH = 32;

/** Creates a registry of at most `limit` flights. */
export function createInFlight(limit: number): InFlight {
  const flights = new Set<Flight>();
  let waiting: PromiseWithResolvers<void> | undefined;
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
        isTunnel: false,
        recheck: undefined,
        end() {
          if (!flights.delete(flight) || flights.size > 0) return;
          waiting?.resolve();
          waiting = undefined;
        },
      };
      flights.add(flight);
      return flight;
    },
    get count() {
      return flights.size;
    },
    get tunnelCount() {
      let count = 0;
      for (const { isTunnel } of flights) if (isTunnel) count++;
      return count;
    },
    idle() {
      if (flights.size === 0) return Promise.resolve();
      waiting ??= Promise.withResolvers<void>();
      return waiting.promise;
    },
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
