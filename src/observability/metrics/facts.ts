/** The events that metrics record, in the words that their table lists. */
import type { FEATURE_METRICS } from "../../../gen/facts.ts";
import type { Config } from "../../config/config.ts";
import type { METRICS } from "./definitions.ts";

export type ExchangeEnd = (typeof METRICS.requestEnds.labels.end)[number];

export type CacheKind = (typeof METRICS.cacheRequests.labels.kind)[number];

export type CacheEvent = (
  | typeof METRICS.cacheRequests.labels.result
  | typeof METRICS.cacheFailures.labels.failure
)[number];

export type StoreOperation =
  (typeof METRICS.storeOperations.labels.operation)[number];

export type StoreOutcome =
  (typeof METRICS.storeOperations.labels.outcome)[number];

export type ActivityEvent =
  (typeof METRICS.activityReports.labels.outcome)[number];

export type LoginOutcome = (typeof METRICS.logins.labels.outcome)[number];

/** By what a grant was carried. */
export type GrantVia = (typeof METRICS.grants.labels.via)[number];

export type GrantOutcome = (typeof METRICS.grants.labels.outcome)[number];

/** A metric that a feature brings. */
export type FeatureMetric = keyof typeof FEATURE_METRICS;

/** One value of each label of such a metric. */
export type LabelValues<Key extends FeatureMetric> =
  (typeof FEATURE_METRICS)[Key] extends { readonly labels: infer Labels } ? {
      readonly [Name in keyof Labels]: Labels[Name] extends
        readonly (infer Value)[] ? Value : never;
    }
    : never;

/** What buffers bytes that count against the memory budget. */
export type BufferKind = (typeof METRICS.bufferEvictions.labels.kind)[number];

/** Status of an exchange whose client disconnected before there was a response. */
export const CLIENT_CLOSED_REQUEST = 499;

/** A finished exchange; times in milliseconds since the epoch. */
export interface ExchangeFacts {
  readonly route: (typeof METRICS.requests.labels.route)[number];
  /** 101 for a tunnel, {@linkcode CLIENT_CLOSED_REQUEST} if the client disconnected. */
  readonly status: number;
  readonly end: ExchangeEnd;
  /** True if the response came from the sandbox: from the app, or from its daemon. */
  readonly isFromApp: boolean;
  /** The error code, if the gateway itself answered with an error. Metrics have "other" for one that is not listed. */
  readonly error: string | undefined;
  /** The traffic of a tunnel, and who closed it. */
  readonly tunnel: TunnelFacts | undefined;
  /** Bytes of content, from and to the client. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly startedAt: number;
  /** When access was granted and the runner known; undefined if that never happened. */
  readonly resolvedAt: number | undefined;
  /** When the head of the response was ready. */
  readonly answeredAt: number;
  readonly endedAt: number;
}

/** A closed tunnel. "Sent" is what the gateway sent to the app, "received" what it received from it. */
export interface TunnelFacts {
  readonly by: (typeof METRICS.tunnelsClosed.labels.by)[number];
  /** The close code of that side: 1005 if it gave none, 1006 if the connection broke (RFC 6455 section 7.4.1). */
  readonly code: number;
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly bytesReceived: number;
}

/** A finished call to the Daytona API. */
export interface ApiCallFacts {
  readonly operation: (typeof METRICS.apiCalls.labels.operation)[number];
  /** `failed` if there was no definite answer. */
  readonly outcome: (typeof METRICS.apiCalls.labels.outcome)[number];
  /** From the first attempt to the end of the last, including the pauses between them. */
  readonly durationMs: number;
  /** Number of attempts, 1 or more. */
  readonly tries: number;
}

/** How much of a limit is in use, by whoever uses most if it is for each of many. */
export interface LimitUse {
  /** The setting. */
  readonly name: string;
  readonly used: number;
  readonly limit: number;
}

/** Sources of the values that other modules keep; read whenever the metrics are rendered. */
export interface MetricSources {
  /** Requests, without open WebSockets. */
  readonly inFlight: () => number;
  /** Connections with clients: of requests and of WebSockets. */
  readonly clients: () => number;
  readonly tunnels: () => number;
  readonly upstream: () => Readonly<
    Record<"idle" | "active" | "opened" | "reused", number>
  >;
  readonly droppedLogLines: () => number;
  readonly leakedSockets: () => number;
  readonly areDescriptorsShort: () => boolean;
  readonly bufferedBytes: () => number;
  readonly limits: Pick<
    Config["limits"],
    "concurrentExchanges" | "tunnels" | "bufferBudgetBytes"
  >;
  /** What tells of changes in the durable tier; null while nothing does, undefined where nothing can. */
  readonly storeWatch: () => object | null | undefined;
  readonly limitsPerEach: () => readonly LimitUse[];
  /** How many stored values could not be read lately. */
  readonly unreadableRecords: () => number;
  readonly unresponsiveRunners: () => number;
  /** The checks of `/ready` as they are known now. */
  readonly checks: () => Readonly<Record<string, "ok" | "failing" | "off">>;
}
