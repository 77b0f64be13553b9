/** What is learned about an exchange on its way, for its record at the end. */
export interface ExchangeStats {
  /** Whether an answer had to be fetched; undefined if none was looked up. */
  missedCache: boolean | undefined;
  /** When the runner was known, ms since the epoch; undefined if it never was. */
  resolvedAt: number | undefined;
  /** Octets of request content sent to the upstream. */
  receivedBytes: number;
}

/** Starts the stats of one exchange. */
export function createExchangeStats(): ExchangeStats {
  return {
    missedCache: undefined,
    resolvedAt: undefined,
    receivedBytes: 0,
  };
}
