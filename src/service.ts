/** The composition root: builds the gateway room by room, and has it begin and end. It alone names the features. */
import { KnownNames } from "./address/known_names.ts";
import { createHostParser } from "./address/preview_host.ts";
import { createAuth } from "./auth/create_auth.ts";
import { reportCacheEvents } from "./cache/cache_events.ts";
import { openDurableStore } from "./cache/open_store.ts";
import { type Config, SETTINGS } from "./config/config.ts";
import type { Setting } from "./config/read_settings.ts";
import type { AnySection } from "./config/section.ts";
import { createControl } from "./control/app.ts";
import { ReadinessChecks } from "./control/readiness.ts";
import { createDaytona } from "./daytona/create_daytona.ts";
import { createClientLeg } from "./downstream/create_client_leg.ts";
import { abuse } from "./features/abuse/abuse_feature.ts";
import { accessPage } from "./features/access_page/access_page_feature.ts";
import { basePage } from "./features/base_page/base_page_feature.ts";
import { brand } from "./features/brand/brand_feature.ts";
import { buildLogs } from "./features/build_logs/build_logs_feature.ts";
import { embeds } from "./features/embeds/embeds_feature.ts";
import { handover } from "./features/handover/handover_feature.ts";
import { identity } from "./features/identity/identity_feature.ts";
import { inspect } from "./features/inspect/inspect_feature.ts";
import { machineTokens } from "./features/machine_tokens/machine_tokens_feature.ts";
import { names } from "./features/names/names_feature.ts";
import { previewState } from "./features/preview_state/preview_state_feature.ts";
import { shares } from "./features/shares/shares_feature.ts";
import { status } from "./features/status/status_feature.ts";
import { trustedIssuers } from "./features/trusted_issuers/trusted_issuers_feature.ts";
import { usage } from "./features/usage/usage_feature.ts";
import { wake } from "./features/wake/wake_feature.ts";
import { warning } from "./features/warning/warning_feature.ts";
import { webhooks } from "./features/webhooks/webhooks_feature.ts";
import { createBulkheads } from "./gateway/create_bulkheads.ts";
import { createFeatures } from "./gateway/create_features.ts";
import { createForwarder, createGateway } from "./gateway/create_gateway.ts";
import type { FeatureModule, Link } from "./gateway/feature_module.ts";
import { areDescriptorsShort } from "./lib/descriptors.ts";
import { fulfilsWithin } from "./lib/fulfils_within.ts";
import { createSealer } from "./lib/seal.ts";
import { createAccessLog } from "./observability/access_log.ts";
import { createBackground } from "./observability/failed_tasks.ts";
import type { LineWriter } from "./observability/line_writer.ts";
import { loggerFor } from "./observability/log.ts";
import { Metrics } from "./observability/metrics/metrics.ts";
import { Activity, NO_REPORTS } from "./proxy/activity.ts";
import { InFlight, OWN_PAGES_LIMITS } from "./proxy/in_flight.ts";
import { openRecords } from "./records/open_records.ts";
import { createResolvers } from "./resolver/create_resolvers.ts";
import { createDrain } from "./server/drain.ts";
import type { GatewayService, ProcessFacts } from "./server/run.ts";
import { startTimers } from "./server/timers.ts";
import { openTurns } from "./server/turns.ts";
import { UpstreamClient } from "./upstream/http1/client.ts";
import { createFetch } from "./upstream/http1/fetch.ts";

/** All features; they are asked in this order, but where one says that it comes before another. */
export const FEATURES: readonly FeatureModule[] = Object.freeze([
  handover,
  warning,
  wake,
  inspect,
  machineTokens,
  shares,
  embeds,
  previewState,
  accessPage,
  names,
  status,
  webhooks,
  trustedIssuers,
  identity,
  basePage,
  brand,
  abuse,
  usage,
  buildLogs,
]);

/** Their settings. */
export const SECTIONS: readonly AnySection[] = FEATURES.flatMap(
  ({ settings }) => settings ?? [],
);

/** All settings: those of the core, and then of features; docs/settings.md has them by group. */
export const ALL_SETTINGS: Readonly<Record<string, Setting<unknown>>> = Object
  .assign({}, SETTINGS, ...SECTIONS.map(({ rows }) => rows));

/** Options of a service besides its configuration. */
export interface ServiceOptions extends Partial<ProcessFacts> {
  readonly version: string;
  /** Where the access log is written; through the log library unless given. */
  readonly lines?: LineWriter;
  /** What the base domain's page links. */
  readonly links?: readonly Link[];
  /** Asks the DNS, by default the resolver of this machine. */
  readonly resolveDns?: typeof Deno.resolveDns;
  /** {@linkcode FEATURES} unless given. */
  readonly features?: readonly FeatureModule[];
}

/** Longest wait of the start for the API's configuration, before it checks what is missing, ms. */
const LEARNING_MS = 10_000;

/** Builds a service. It answers requests from the start; `/ready` says when it can open previews. */
export async function createService(
  config: Config,
  options: ServiceOptions,
): Promise<GatewayService> {
  const { version, lines, links = [], dial } = options;
  const { resolveDns = Deno.resolveDns } = options;
  const modules = options.features ?? FEATURES;
  const { platformShared = false, ownsProcess = false } = options;
  const { hasSpans = false, fetchesByProxy = false } = options;
  const { limits, cache } = config;
  const closes = new AbortController();
  const closing = closes.signal;
  const now = Date.now;
  const logger = loggerFor("gateway");
  const metrics = new Metrics(version);
  const background = createBackground(closing);
  const store = await openDurableStore(cache.location, {
    platformShared,
    now,
    onOperation: (...what) => metrics.storeOperation(...what),
  });
  const areNeeded = modules.some((each) => each.needsRecords?.(config));
  const records = openRecords(config, { now });
  const sealerFor = (purpose: string, maxLength?: number) =>
    createSealer({ secrets: config.session.secrets, purpose, now, maxLength });
  const lookups = {
    cache,
    store,
    background,
    now,
    onEvent: reportCacheEvents(metrics, closing),
  };

  // The legs, and what is between them.
  const upstreamConfig = { ...config.upstream, ...limits };
  const upstream = new UpstreamClient(upstreamConfig, dial);
  const inFlight = new InFlight(limits);
  const bulkheads = createBulkheads(limits, upstream, logger);
  const ownRequests = new InFlight(OWN_PAGES_LIMITS);
  const clientLeg = createClientLeg(limits, {
    metrics,
    background,
    inFlight,
    now,
    ownsProcess,
  });

  const ownClient = new UpstreamClient({
    ...upstreamConfig,
    headerTimeoutMs: 0, // each question has a deadline of its own
    idleTimeoutMs: 4_000, // less than most servers keep a connection
  }, dial);
  const ownFetch = fetchesByProxy ? fetch : createFetch(ownClient);
  const secretFetch = hasSpans ? ownFetch : fetch;
  // It takes less time than the platform's, which makes spans, and asks by HTTP/2 where it can.
  const isPlain = config.daytona.apiUrl.startsWith("http:");
  const apiFetch = isPlain && !hasSpans ? ownFetch : fetch;

  // What knows Daytona.
  const daytona = createDaytona(config.daytona, {
    metrics,
    now,
    closing,
    fetch: apiFetch,
    secretFetch: hasSpans ? ownFetch : apiFetch,
  });
  const { api, role, quota, serviceKey } = daytona;
  const resolvers = createResolvers(config, {
    api,
    role,
    lookups,
    sealerFor,
    upstream,
    recheckPublic: (sandboxId) => inFlight.recheckPublic(sandboxId),
  });
  const { remoteSettings, sandboxes, access } = resolvers;
  const knownNames = new KnownNames();
  const parseHost = createHostParser(
    () => remoteSettings.baseDomains,
    knownNames,
  );
  const auth = createAuth(config, {
    parseHost,
    lookups,
    closing,
    metrics,
    quota,
    sealerFor,
    remoteSettings,
    sandboxes,
    access,
  });
  const forwarder = createForwarder(config, {
    upstream,
    bulkheads,
    sandboxes,
    now,
  });
  const readiness = new ReadinessChecks({
    api,
    serviceKey,
    remoteSettings,
    store,
    records: areNeeded ? records : null,
    closing,
    logger,
    provider: auth.provider,
  });
  /** `looks` for the next time: nobody may ask /ready. */
  function renderMetrics(looks: boolean): string {
    if (looks) background.add("readiness", readiness.check());
    return metrics.render();
  }

  const chains = createFeatures(modules, {
    config,
    version,
    links,
    now,
    api,
    parseHost,
    names: knownNames,
    lookups,
    store,
    secretFetch,
    resolveDns,
    records,
    recordValues: records.values,
    background,
    metrics,
    sealerFor,
    auth,
    resolvers,
    forwarder,
    upstream,
    inFlight,
    bulkheads,
    renderMetrics,
    otherLimits: () => [
      ...bulkheads.limitsInUse(),
      { name: "BUFFER_BUDGET_BYTES", ...clientLeg.budget.inUse },
      ...quota?.inUse ? [{ name: "API quota", ...quota.inUse }] : [],
    ],
  });

  const control = createControl({
    version,
    ...auth,
    added: chains.control,
    readiness,
    remoteSettings,
    parseHost,
    logger,
    now,
    featureDescriptions: modules.flatMap(({ routes = [] }) => routes),
  });
  // Somebody else's proxy reports the use of sandboxes by itself.
  const activity = config.daytona.mode === "hosted"
    ? NO_REPORTS
    : new Activity({
      maxSandboxes: cache.maxEntries,
      sharedStore: store?.shared ? store : null,
      logger: loggerFor("activity"),
      background,
      now,
      metrics,
      closing,
      report: (sandboxId) => api.updateLastActivity(sandboxId),
    });
  const accessLog = createAccessLog(config.log, lines);
  const dispatch = createGateway(config, {
    parseHost,
    forwarder,
    resolvers,
    auth,
    activity,
    inFlight,
    ownRequests,
    clientLeg,
    control,
    chains,
    logger,
    now,
    hasSpans,
    onRecord(record) {
      accessLog(record);
      metrics.exchange(record);
      chains.onRecord(record);
    },
    onOwnAnswer: (facts) => metrics.exchange(facts),
  });
  metrics.setSources({
    inFlight: () => inFlight.exchangeCount,
    clients: () => inFlight.count,
    tunnels: () => inFlight.tunnelCount,
    upstream: () => ({ ...upstream.stats(), ...upstream.totals() }),
    droppedLogLines: () => lines?.dropped ?? 0,
    leakedSockets: () => clientLeg.leakedSockets.count,
    areDescriptorsShort,
    bufferedBytes: () => clientLeg.budget.usedBytes,
    storeWatch: () => store?.watch,
    limits,
    limitsPerEach: () => [
      ...inFlight.limitsPerEach(),
      ...bulkheads.limitsInUse(),
    ],
    unresponsiveRunners: () => bulkheads.unresponsive,
    checks: () => readiness.latest,
  });
  const turns = await openTurns();
  const learning = remoteSettings.learn(closing);
  const following = learning.then(() => remoteSettings.follow(closing));
  const ticking = [activity, bulkheads, clientLeg.untaken];
  const stopTimers = startTimers(
    limits.bodyIdleTimeoutMs,
    inFlight,
    ticking,
    clientLeg.garbageWatch,
  );
  await Promise.all(chains.life.map(({ loaded }) => loaded));
  return {
    fetch: (request, info) => dispatch.handle(request, info),
    tlsLimits: clientLeg.tlsLimits,
    renderMetrics: () => renderMetrics(true),
    metricsPages: chains.control.metricsPages,
    certificateExpires: (at) => metrics.certificateExpires(at),
    async checkUntilReady() {
      // Before that, what the API has yet to tell would be reported as missing.
      await fulfilsWithin(learning, LEARNING_MS, closing);
      daytona.probe(background);
      await readiness.checkUntilReady();
    },
    startDraining() {
      readiness.startDraining();
      inFlight.startDraining();
      ownRequests.startDraining();
      for (const life of chains.life) life.startDraining?.();
    },
    async refuseNew() {
      // Over TLS, the port is closed. Of a shared port, the kernel would still give us a part of the connections.
      const { tls, reusePort } = config.listen;
      if (tls || reusePort) return;
      // Unless others are known to be there, nobody may answer instead.
      if (Number(await store?.announce("")) > 1) dispatch.refuseNew();
    },
    ...createDrain({ inFlight, ownRequests, upstream }, closing),
    async close() {
      closes.abort();
      stopTimers();
      inFlight.abortAll();
      upstream.close();
      await following;
      await background.settled();
      await Promise.all(chains.life.map((life) => life.close?.()));
      ownClient.close();
      store?.close();
      records.close();
      turns.dispose();
    },
  };
}
