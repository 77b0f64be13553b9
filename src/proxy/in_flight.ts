/** What is going on right now: exchanges and tunnels, counted for the limit and awaited on the way out. */

/** One exchange or tunnel. */
export interface Flight {
  /** Ends it from our side; set where that is possible. */
  abort: (() => void) | undefined;
  /** Tells that it is over; a second call does nothing. */
  end(): void;
}

/** The registry of everything that would be lost if the process ended now. */
export interface InFlight {
  /** Begins an exchange or tunnel; undefined where the limit is reached. */
  begin(): Flight | undefined;
  readonly count: number;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
  /** Ends from our side whatever can be ended so. */
  abortAll(): void;
}

/** Creates a registry of at most `limit` flights. */
export function createInFlight(limit: number): InFlight {
  const flights = new Set<Flight>();
  let waiting: PromiseWithResolvers<void> | undefined;

  return {
    begin() {
      if (flights.size >= limit) return undefined;
      const flight: Flight = {
        abort: undefined,
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
    idle() {
      if (flights.size === 0) return Promise.resolve();
      waiting ??= Promise.withResolvers<void>();
      return waiting.promise;
    },
    abortAll() {
      for (const flight of [...flights]) flight.abort?.();
    },
  };
}
