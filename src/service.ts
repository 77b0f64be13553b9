/** The composition root: builds the gateway room by room, and has it begin and end. It alone names the features. */
import { KnownNames } from "./address/known_names.ts";
import { createHostParser } from "./address/preview_host.ts";
import { createAuth } from "./auth/create_auth.ts";
import { reportCacheEvents } from "./cache/cache_events.ts";
import { openDurableStore } from "./cache/open_store.ts";
import type { Config } from "./config/config.ts";
import { createControl } from "./control/app.ts";
import { ReadinessChecks } from "./control/readiness.ts";
import { createDaytona } from "./daytona/create_daytona.ts";
import { createClientLeg } from "./downstream/create_client_leg.ts";
import { createActivity } from "./gateway/create_activity.ts";
import { createBulkheads } from "./gateway/create_bulkheads.ts";
import { createFeatures } from "./gateway/create_features.ts";
import { createForwarder, createGateway } from "./gateway/create_gateway.ts";
import type { FeatureModule, Link } from "./gateway/feature_module.ts";
import type { After } from "./lib/after.ts";
import { fulfilsWithin } from "./lib/fulfils_within.ts";
import { createSealer } from "./lib/seal.ts";
import { FEATURES } from "./modules.ts";
import { createAccessLog } from "./observability/access_log.ts";
import { createBackground } from "./observability/failed_tasks.ts";
import type { LineWriter } from "./observability/line_writer.ts";
import { loggerFor } from "./observability/log.ts";
import { Metrics } from "./observability/metrics/metrics.ts";
import { InFlight, OWN_PAGES_LIMITS } from "./proxy/in_flight.ts";
import { openRecords } from "./records/open_records.ts";
import { createResolvers } from "./resolver/create_resolvers.ts";
import { createDrain } from "./server/drain.ts";
import { metricSources } from "./server/metric_sources.ts";
import type { GatewayService, ProcessFacts } from "./server/run.ts";
import { startTimers } from "./server/timers.ts";
import { openTurns } from "./server/turns.ts";
import { UpstreamClient } from "./upstream/http1/client.ts";
import { createOwnQuestions } from "./upstream/own_questions.ts";

/** Options of a service besides its configuration. */
export interface ServiceOptions extends Partial<ProcessFacts> {
  readonly version: string;
  /** Where the access log is written; through the log library unless given. */
  readonly lines?: LineWriter;
  /** What the base domain's page links. */
  readonly links?: readonly Link[];
  /** Asks the DNS, by default the resolver of this machine. */
  readonly resolveDns?: typeof Deno.resolveDns;
  /** Timers for requests that wait. */
  readonly after?: After;
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
  const records = openRecords(config, { now, onDoubt: metrics.recordsLost })
    .join(store, config.records);
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
  const inFlight = new InFlight(limits, options.after);
  const bulkheads = createBulkheads(limits, upstream, logger);
  const ownRequests = new InFlight(OWN_PAGES_LIMITS);
  const clientLeg = createClientLeg(limits, {
    metrics,
    background,
    inFlight,
    now,
    ownsProcess,
  });

  const questions = createOwnQuestions(upstreamConfig, {
    apiUrl: config.daytona.apiUrl,
    hasSpans,
    fetchesByProxy,
    dial,
  });

  // What knows Daytona.
  const daytona = createDaytona(config.daytona, {
    metrics,
    now,
    closing,
    fetch: questions.apiFetch,
    secretFetch: questions.apiSecretFetch,
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
    secretFetch: questions.secretFetch,
    resolveDns: options.resolveDns ?? Deno.resolveDns,
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
  const activity = createActivity(config, {
    api,
    store,
    background,
    now,
    metrics,
    closing,
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
  metrics.setSources(metricSources({
    limits,
    lines,
    inFlight,
    upstream,
    clientLeg,
    bulkheads,
    store,
    recordValues: records.values,
    readiness,
  }));
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
    ...createDrain(config, {
      inFlight,
      ownRequests,
      upstream,
      store,
      dispatch,
      closing,
    }),
    async close() {
      closes.abort();
      stopTimers();
      inFlight.abortAll();
      upstream.close();
      await following;
      await background.settled();
      await Promise.all(chains.life.map((life) => life.close?.()));
      questions.client.close();
      store?.close();
      records.close();
      turns.dispose();
    },
  };
}
