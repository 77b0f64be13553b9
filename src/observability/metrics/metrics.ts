/** Records what happens, at about ten nanoseconds per call, and renders it for Prometheus. */
import process from "node:process";
import { type ErrorCode, ERRORS } from "../../error_codes.ts";
import { buildInfo, METRICS, STATUS_CLASSES } from "./definitions.ts";
import { formatFamily } from "./exposition.ts";
import {
  type ActivityEvent,
  type ApiCallFacts,
  type BufferKind,
  type CacheEvent,
  CLIENT_CLOSED_REQUEST,
  type ExchangeFacts,
  type FeatureMetric,
  type GrantOutcome,
  type GrantVia,
  type LabelValues,
  type LoginOutcome,
  type MetricSources,
  type StoreOperation,
  type StoreOutcome,
  type TunnelFacts,
} from "./facts.ts";
import { createInstruments, type Definition, Gauge } from "./instruments.ts";

type ProcessUsage = ReturnType<typeof processUsage>;

/** The metrics of one gateway; what they count starts at 0. */
export class Metrics {
  readonly #instruments = createInstruments(METRICS);
  readonly #info: Gauge;
  readonly #usage: () => ProcessUsage;
  #sources: MetricSources | undefined;
  readonly #ofFeatures = new Map<
    FeatureMetric,
    () => Readonly<Record<string, number>>
  >();

  constructor(version: string, usage = processUsage) {
    this.#usage = usage;
    this.#info = new Gauge(buildInfo(version));
    this.#info.set(1, version, Deno.version.deno);
  }

  /** Records an exchange or tunnel; to be called once, when it is over. */
  exchange(facts: ExchangeFacts): void {
    const { route, status, error, tunnel } = facts;
    const { startedAt, resolvedAt, answeredAt, endedAt } = facts;
    const to = this.#instruments;
    const statusClass = STATUS_CLASSES[Math.floor(status / 100) - 1];
    to.requests.add(1, route, statusClass);
    to.responses.add(1, sourceOf(facts), statusClass);
    to.requestEnds.add(1, facts.end);
    if (error !== undefined) to.errors.add(1, error);
    to.bodyBytes.add(facts.receivedBytes, route, "request");
    to.bodyBytes.add(facts.sentBytes, route, "response");
    if (tunnel === undefined) {
      to.requestDuration.observe(endedAt - startedAt, route);
    } else {
      this.#tunnelClosed(tunnel, endedAt - answeredAt);
    }
    if (resolvedAt === undefined) return;
    to.resolutionDuration.observe(resolvedAt - startedAt);
    if (error !== undefined || status === CLIENT_CLOSED_REQUEST) return;
    to.upstreamFirstByte.observe(answeredAt - resolvedAt);
  }

  /** Records an event of the cache of that kind; "other" stands in for a kind that the table does not list. */
  cacheEvent(event: CacheEvent, kind: string): void {
    const { cacheFailures, cacheRequests } = this.#instruments;
    const isFailure = event === "fill_failed" || event === "codec_failed";
    (isFailure ? cacheFailures : cacheRequests).add(1, kind, event);
  }

  storeOperation(operation: StoreOperation, outcome: StoreOutcome): void {
    this.#instruments.storeOperations.add(1, operation, outcome);
  }

  apiCall({ operation, outcome, durationMs, tries }: ApiCallFacts): void {
    const { apiCalls, apiRetries, apiCallDuration } = this.#instruments;
    apiCalls.add(1, operation, outcome);
    apiRetries.add(tries - 1, operation);
    apiCallDuration.observe(durationMs);
  }

  activity(outcome: ActivityEvent): void {
    this.#instruments.activityReports.add(1, outcome);
  }

  login(outcome: LoginOutcome): void {
    this.#instruments.logins.add(1, outcome);
  }

  grant(via: GrantVia, outcome: GrantOutcome): void {
    this.#instruments.grants.add(1, via, outcome);
  }

  /** Counts an event by a feature's counter. */
  count<Key extends FeatureMetric>(
    metric: Key,
    labels: LabelValues<Key>,
  ): void {
    const counter: Gauge = this.#instruments[metric as FeatureMetric];
    const values: Readonly<Record<string, string>> = labels;
    const { labels: names = {} }: Definition = METRICS[metric as FeatureMetric];
    counter.add(1, ...Object.keys(names).map((name) => values[name]));
  }

  bufferEvicted(kind: BufferKind): void {
    this.#instruments.bufferEvictions.add(1, kind);
  }

  /** Notes whether the store of records is another one than was known. */
  readonly recordsLost = (areLost: boolean): void =>
    this.#instruments.recordsLost.set(Number(areLost));

  certificateExpires(at: Date): void {
    this.#instruments.certificateExpiry.set(at.getTime() / 1000);
  }

  /** Sets where the values that other modules keep are read from; they are 0 until then. */
  setSources(sources: MetricSources): void {
    this.#sources = sources;
  }

  /** Sets where the values of a feature's gauge are read, by those of its label. */
  setSource(
    metric: FeatureMetric,
    values: () => Readonly<Record<string, number>>,
  ): void {
    this.#ofFeatures.set(metric, values);
  }

  /** Renders all metrics as text of the media type `CONTENT_TYPE`. */
  render(): string {
    this.#sample();
    return [this.#info, ...Object.values(this.#instruments)]
      .map(({ family }) => formatFamily(family)).join("");
  }

  #tunnelClosed(facts: TunnelFacts, durationMs: number): void {
    const to = this.#instruments;
    to.tunnelsClosed.add(1, facts.by, String(facts.code));
    to.tunnelBytes.add(facts.bytesSent, "to_app");
    to.tunnelBytes.add(facts.bytesReceived, "to_client");
    to.tunnelMessages.add(facts.messagesSent, "to_app");
    to.tunnelMessages.add(facts.messagesReceived, "to_client");
    to.tunnelDuration.observe(durationMs);
  }

  #sample(): void {
    const to = this.#instruments;
    for (const [name, used] of Object.entries(this.#usage())) {
      to[name as keyof ProcessUsage].set(used);
    }
    for (const [metric, values] of this.#ofFeatures) {
      const gauge: Gauge = to[metric];
      for (const [label, value] of Object.entries(values())) {
        gauge.set(value, label);
      }
    }
    const sources = this.#sources;
    if (sources === undefined) return;
    to.inFlight.set(sources.inFlight());
    to.tunnels.set(sources.tunnels());
    to.logLinesDropped.set(sources.droppedLogLines());
    to.socketsLost.set(sources.leakedSockets());
    to.descriptorsShort.set(Number(sources.areDescriptorsShort()));
    to.bufferedBytes.set(sources.bufferedBytes());
    const watch = sources.storeWatch();
    if (watch !== undefined) to.storeTracking.set(watch === null ? 0 : 1);
    const { limits } = sources;
    to.limits.set(limits.concurrentExchanges, "exchanges");
    to.limits.set(limits.tunnels, "tunnels");
    to.limits.set(limits.bufferBudgetBytes, "buffered_bytes");
    for (const { name, used, limit } of sources.limitsPerEach()) {
      const label = name.replace("MAX_", "").toLowerCase();
      to.limits.set(limit, label);
      to.limitsUsed.set(used, label);
    }
    to.unreadableRecords.set(sources.unreadableRecords());
    to.unresponsiveRunners.set(sources.unresponsiveRunners());
    for (const [check, state] of Object.entries(sources.checks())) {
      to.checks.set(CHECK_VALUES[state], check);
    }
    const { idle, active, opened, reused } = sources.upstream();
    to.openSockets.set(sources.clients() + idle + active);
    to.upstreamConnections.set(idle, "idle");
    to.upstreamConnections.set(active, "active");
    to.upstreamOpened.set(opened);
    to.upstreamReused.set(reused);
  }
}

const CHECK_VALUES = { ok: 1, failing: 0, off: NaN } as const;

function sourceOf({ error, isFromApp }: ExchangeFacts): string {
  if (isFromApp) return "app";
  const fault = ERRORS[error as ErrorCode]?.fault;
  return fault === "sandbox" ? "sandbox" : "gateway";
}

/** What the process uses, by the keys of metrics; read by system calls that take microseconds and need no permission. */
// deno-lint-ignore explicit-module-boundary-types -- a number for each
export function processUsage() {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal, heapUsed, external } = Deno.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    startTime: performance.timeOrigin / 1000,
    residentMemory: rss,
    heap: heapTotal,
    heapUsed,
    externalMemory: external,
  };
}
