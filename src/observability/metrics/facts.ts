/** What metrics are told. Names are text, and one that the table of metrics does not list counts as "other". */

/** The status of an exchange whose client left before there was an answer. */
export const CLIENT_CLOSED_REQUEST = 499;

/** A finished exchange, as the access log has it; times in milliseconds since the epoch. */
export interface ExchangeFacts {
  /** What kind of route it took. */
  readonly route: string;
  /** 101 for a tunnel, {@linkcode CLIENT_CLOSED_REQUEST} where the client left. */
  readonly status: number;
  /** How it ended. */
  readonly end: string;
  /** Our error code, where the answer was ours. */
  readonly error?: string | undefined;
  /** What went through, for a tunnel. */
  readonly tunnel?: TunnelFacts | undefined;
  /** Octets of content, from and to the client. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly startedAt: number;
  /** When it was let in and its runner was known; undefined where it did not come so far. */
  readonly resolvedAt: number | undefined;
  /** When the head of the answer was there. */
  readonly answeredAt: number;
  readonly endedAt: number;
}

/** A closed tunnel; sent and received are seen from the gateway's end of the upstream. */
export interface TunnelFacts {
  /** Who ended it. */
  readonly by: "client" | "upstream" | "gateway";
  /** The close code (RFC 6455 section 7.4). */
  readonly code: number;
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly bytesReceived: number;
}

/** A question to the Daytona API that has come to its end. */
export interface ApiCallFacts {
  readonly operation: string;
  readonly outcome: "ok" | "no" | "failed";
  /** Retries and the pauses between them included. */
  readonly durationMs: number;
  /** How often it was sent, 1 or more. */
  readonly tries: number;
}

/** Where values come from that somebody else keeps; asked whenever the metrics are read. */
export interface MetricSources {
  /** Exchanges and tunnels under way. */
  readonly inFlight: () => number;
  readonly tunnels: () => number;
  /** Connections to runners: those that there are, and what was done in all. */
  readonly upstream: () => {
    readonly idle: number;
    readonly active: number;
    readonly opened: number;
    readonly reused: number;
  };
  readonly droppedLogLines: () => number;
}
