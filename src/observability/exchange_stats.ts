/** What is learned about an exchange while it is under way, for its record at the end. */
export interface ExchangeStats {
  /** Whether a lookup had to go beyond the in-process cache; undefined if nothing was looked up. */
  missedCache: boolean | undefined;
  /** When access was granted and the runner known, ms since the epoch; undefined if that never happened. */
  resolvedAt: number | undefined;
  /** Bytes of request content sent to the upstream. */
  receivedBytes: number;
}

/** Creates the stats of one exchange. */
export function createExchangeStats(): ExchangeStats {
  return {
    missedCache: undefined,
    resolvedAt: undefined,
    receivedBytes: 0,
  };
}
