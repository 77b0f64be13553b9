/** Records what happens, at about ten nanoseconds per call, and renders it for Prometheus. */
import { buildInfo, DURATIONS, SERIES, STATUS_CLASSES } from "./definitions.ts";
import { formatFamily } from "./exposition.ts";
import {
  type ActivityEvent,
  type ApiCallFacts,
  type CacheEvent,
  CLIENT_CLOSED_REQUEST,
  type ExchangeFacts,
  type MetricSources,
  type TunnelFacts,
} from "./facts.ts";
import { createDurations, createSeries } from "./instruments.ts";
import { type ProcessUsage, processUsage } from "./process_usage.ts";

/** The metrics of one gateway. */
export interface Metrics {
  /** Records an exchange or tunnel; to be called once, when it is over. */
  exchange(facts: ExchangeFacts): void;
  /** Records an event of the cache of that kind; "other" stands in for a kind that the table does not list. */
  cacheEvent(event: CacheEvent, kind: string): void;
  /** Records a finished call to the Daytona API. */
  apiCall(facts: ApiCallFacts): void;
  /** Records the outcome of a report that a sandbox is in use. */
  activity(outcome: ActivityEvent): void;
  /** Sets where the values that other modules keep are read from; they are 0 until then. */
  setSources(sources: MetricSources): void;
  /** Renders all metrics as text of the media type `CONTENT_TYPE`. */
  render(): string;
}

/** Settings of {@linkcode createMetrics}. */
export interface MetricsOptions {
  /** Version of Porthole. */
  readonly version: string;
  /** Reads the resource usage of the process; {@linkcode processUsage} unless given. */
  readonly usage?: () => ProcessUsage;
}

function statusClassOf(status: number): string | undefined {
  return STATUS_CLASSES[Math.floor(status / 100) - 1];
}

/** Creates an instrument for each definition of the table. */
function instrumentsOf<K extends string, D, I>(
  table: Readonly<Record<K, D>>,
  create: (definition: D) => I,
): Record<K, I> {
  const entries = Object.entries<D>(table).map((
    [key, definition],
  ) => [key, create(definition)]);
  return Object.fromEntries(entries) as Record<K, I>;
}

/** Creates the metrics; what they count starts at 0. */
export function createMetrics(
  { version, usage = processUsage }: MetricsOptions,
): Metrics {
  const info = createSeries(buildInfo(version));
  info.set(1, version, Deno.version.deno);
  const series = instrumentsOf(SERIES, createSeries);
  const durations = instrumentsOf(DURATIONS, createDurations);
  const { requests, requestEnds, errors, bodyBytes } = series;
  const { request, resolution, upstreamFirstByte } = durations;
  const { cacheRequests, cacheFailures } = series;
  let sources: MetricSources | undefined;

  function sample(): void {
    const used = usage();
    series.cpuSeconds.set(used.cpuSeconds);
    series.startTime.set(used.startedAtSec);
    series.residentMemory.set(used.residentBytes);
    series.heap.set(used.heapBytes);
    series.heapUsed.set(used.heapUsedBytes);
    series.externalMemory.set(used.externalBytes);
    if (sources === undefined) return;
    series.inFlight.set(sources.inFlight());
    series.tunnels.set(sources.tunnels());
    series.logLinesDropped.set(sources.droppedLogLines());
    series.socketsLost.set(sources.leakedSockets());
    const { idle, active, opened, reused } = sources.upstream();
    series.upstreamConnections.set(idle, "idle");
    series.upstreamConnections.set(active, "active");
    series.upstreamOpened.set(opened);
    series.upstreamReused.set(reused);
  }

  function tunnelClosed(facts: TunnelFacts, durationMs: number): void {
    series.tunnelsClosed.add(1, facts.by, String(facts.code));
    series.tunnelBytes.add(facts.bytesSent, "to_app");
    series.tunnelBytes.add(facts.bytesReceived, "to_client");
    series.tunnelMessages.add(facts.messagesSent, "to_app");
    series.tunnelMessages.add(facts.messagesReceived, "to_client");
    durations.tunnel.observe(durationMs);
  }

  return {
    exchange(facts) {
      const { route, status, error, tunnel } = facts;
      const { startedAt, resolvedAt, answeredAt, endedAt } = facts;
      requests.add(1, route, statusClassOf(status));
      requestEnds.add(1, facts.end);
      if (error !== undefined) errors.add(1, error);
      bodyBytes.add(facts.receivedBytes, route, "request");
      bodyBytes.add(facts.sentBytes, route, "response");
      if (tunnel === undefined) request.observe(endedAt - startedAt, route);
      else tunnelClosed(tunnel, endedAt - answeredAt);
      if (resolvedAt === undefined) return;
      resolution.observe(resolvedAt - startedAt);
      if (error !== undefined || status === CLIENT_CLOSED_REQUEST) return;
      upstreamFirstByte.observe(answeredAt - resolvedAt);
    },
    cacheEvent(event, kind) {
      if (event === "fill_failed" || event === "codec_failed") {
        cacheFailures.add(1, kind, event);
      } else {
        cacheRequests.add(1, kind, event);
      }
    },
    apiCall({ operation, outcome, durationMs, tries }) {
      series.apiCalls.add(1, operation, outcome);
      series.apiRetries.add(tries - 1, operation);
      durations.apiCall.observe(durationMs);
    },
    activity(outcome) {
      series.activityReports.add(1, outcome);
    },
    setSources(given) {
      sources = given;
    },
    render() {
      sample();
      return [info, ...Object.values(series), ...Object.values(durations)]
        .map(({ family }) => formatFamily(family)).join("");
    },
  };
}
