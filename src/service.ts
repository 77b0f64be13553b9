/** The composition root: builds the gateway from its configuration, layer by layer. */
import ipaddr from "ipaddr.js";
import { CookieRelief } from "./auth/cookie_relief.ts";
import { Gate, nonePublic } from "./auth/gate.ts";
import { Handover } from "./auth/handover.ts";
import { Login } from "./auth/login_flow.ts";
import { LoginSessions } from "./auth/login_sessions.ts";
import { OpenidProvider } from "./auth/oidc/provider.ts";
import { RedeemedStates } from "./auth/oidc/redeemed_states.ts";
import { TransactionSealer } from "./auth/oidc/transaction.ts";
import { OwnCookies } from "./auth/own_cookies.ts";
import { RuleAccess } from "./auth/rule_access.ts";
import { SessionSealer } from "./auth/session.ts";
import { Throttle } from "./auth/throttle.ts";
import { UsedCodes } from "./auth/used_codes.ts";
import { reportCacheEvents } from "./cache/cache_events.ts";
import { openDurableStore } from "./cache/open_store.ts";
import type { Config } from "./config/config.ts";
import { createControl } from "./control/app.ts";
import { ReadinessChecks } from "./control/readiness.ts";
import { SandboxLogins } from "./control/sandbox_logins.ts";
import { UserLogins } from "./control/user_logins.ts";
import { DaytonaApi } from "./daytona/api.ts";
import { RoleWatch } from "./daytona/proxy_role.ts";
import { ApiQuota } from "./daytona/quota.ts";
import { KeyWatch } from "./daytona/service_key.ts";
import { LeakedSockets } from "./downstream/http/leaked_sockets.ts";
import { ReadSizes } from "./downstream/http/read_sizes.ts";
import { MemoryGuard } from "./downstream/memory/guard.ts";
import {
  BUFFER_ALLOWANCE_BYTES,
  createExpectedBytes,
  createNativeBytes,
} from "./downstream/memory/native_memory.ts";
import { FloodBans } from "./downstream/websocket/rate_limit.ts";
import { Dispatch } from "./gateway/dispatch.ts";
import type { ExchangeServices } from "./gateway/exchange_parts.ts";
import { PreviewHandover } from "./gateway/handover.ts";
import { Holds } from "./gateway/holds.ts";
import { InspectObserver } from "./gateway/inspected.ts";
import { SandboxHandlers } from "./gateway/preview.ts";
import { Waker } from "./gateway/start.ts";
import { StartRights } from "./gateway/start_rights.ts";
import { StartTickets } from "./gateway/start_tickets.ts";
import { Warning } from "./gateway/warning.ts";
import { Background } from "./lib/background.ts";
import { ByteBudget } from "./lib/byte_budget.ts";
import { createReportLimit } from "./lib/cooldown.ts";
import { describeError } from "./lib/describe_error.ts";
import { takeTurnsBy } from "./lib/fair_turn.ts";
import { fulfilsWithin } from "./lib/fulfils_within.ts";
import { memoryLimit } from "./lib/memory_limit.ts";
import { createSealer, type Sealer } from "./lib/seal.ts";
import { createAccessLog } from "./observability/access_log.ts";
import { Inspector } from "./observability/inspection/inspector.ts";
import type { LineWriter } from "./observability/line_writer.ts";
import { createRequestIds, loggerFor } from "./observability/log.ts";
import type { BufferKind } from "./observability/metrics/facts.ts";
import { Metrics } from "./observability/metrics/metrics.ts";
import { ROWS, sandboxRows } from "./observability/status/report.ts";
import { SandboxUsage } from "./observability/status/sandbox_usage.ts";
import { Subjects } from "./observability/subjects.ts";
import { Visits } from "./observability/visits.ts";
import type { PageLink } from "./pages/base_page.ts";
import { SocketTurns } from "./platform/socket_turns.ts";
import { Activity, NO_REPORTS, type UseReports } from "./proxy/activity.ts";
import { Forwarder } from "./proxy/forward.ts";
import { HandshakeForms } from "./proxy/handshake_forms.ts";
import { InFlight } from "./proxy/in_flight.ts";
import { HostedAccess } from "./resolver/hosted/hosted_access.ts";
import {
  HostedResolver,
  type Mistrust,
} from "./resolver/hosted/hosted_resolver.ts";
import type { LookupCacheOptions } from "./resolver/lookup_cache.ts";
import { AccessResolver } from "./resolver/own/access.ts";
import { BuildResolver } from "./resolver/own/builds.ts";
import { SandboxResolver } from "./resolver/own/sandboxes.ts";
import { opensLink } from "./resolver/refusals/link_probe.ts";
import { RemoteSettings } from "./resolver/remote_settings.ts";
import { SandboxChanges } from "./resolver/sandbox_changes.ts";
import { SandboxStarts } from "./resolver/sandbox_starts.ts";
import { SandboxStates } from "./resolver/sandbox_states.ts";
import { WarningResolver } from "./resolver/warnings.ts";
import { createDrain } from "./server/drain.ts";
import type { GatewayService } from "./server/run.ts";
import { UpstreamClient } from "./upstream/http1/client.ts";
import type { Dial } from "./upstream/http1/connect.ts";

/** Options of a service besides its configuration. */
export interface ServiceOptions {
  readonly version: string;
  /** True if the platform's own database is shared by several processes, as on Deno Deploy. */
  readonly platformShared?: boolean;
  /** True if nothing else is in the process, so that its size tells what the service takes. */
  readonly ownsProcess?: boolean;
  /** Where the access log is written; through the log library unless given. */
  readonly lines?: LineWriter;
  /** What the base domain's page links. */
  readonly links?: readonly PageLink[];
  /** How upstreams are reached; over the network unless given. */
  readonly dial?: Dial;
}

/**
 * Time between two rechecks of the access behind tunnels and streams, ms. With the 5 s for which a signed link may
 * outlive its end, that makes 30 s until what it opened ends.
 */
const RECHECK_INTERVAL_MS = 25_000;

/** Time between two looks for tunnels and streams that have stalled, or whose use must be reported again, ms. */
const TICK_MS = 5_000;

/** The limits of requests for our own pages. */
const OWN_LIMITS = {
  concurrentExchanges: 1000,
  exchangesPerSandbox: 0,
  exchangesPerClient: 100,
  tunnels: 0,
  tunnelsPerClient: 0,
};

/** Longest wait of the start for the API's configuration, before it checks what is missing, ms. */
const LEARNING_MS = 10_000;

/** Longest sealed login session, characters: it holds tokens, which may be long, and Deno KV limits values to 64 KiB. */
const MAX_STORED_LENGTH = 60_000;

/** Builds a service. It answers requests from the start; `/ready` says when it can open previews. */
export async function createService(
  config: Config,
  options: ServiceOptions,
): Promise<GatewayService> {
  warnOfUnusedLogin(config);
  const closing = new AbortController();
  const base = await openBase(config, options, closing.signal);
  const resolvers = createResolvers(config, base);
  const judges = createAuth(config, base, resolvers);
  const auth = { ...judges, ...createLoginKeeping(config, base, judges) };
  const transport = createTransport(config, base, resolvers);
  const ownPages = createOwnPages(config, base, resolvers, auth, options);
  const dispatch = createDispatch(
    config,
    { ...base, ...resolvers, ...auth, ...transport, ...ownPages },
    options,
  );
  const { metrics, background, store, upstream } = base;
  const { inFlight, holds } = transport;
  const { readiness, ownRequests } = ownPages;
  const turns = await openTurns();
  const { remoteSettings } = resolvers;
  const learning = remoteSettings.learn(closing.signal);
  const following = learning.then(() => remoteSettings.follow(closing.signal));
  const stopTimers = startTimers(config, transport);

  return {
    fetch: (request, info) => dispatch.handle(request, info),
    buffers: base.budget,
    renderMetrics(looks = true) {
      // For the next time: nobody may ask /ready.
      if (looks) background.add("readiness", readiness.check());
      return metrics.render();
    },
    status: () => statusOf({ ...base, ...transport }),
    certificateExpires: (at) => metrics.certificateExpires(at),
    async checkUntilReady() {
      // Before that, what the API has yet to tell would be reported as missing.
      await fulfilsWithin(learning, LEARNING_MS, closing.signal);
      // If it fails, the first bearer of a user will show the same.
      background.add("probe owners", base.api.probeOwners().catch(() => {}));
      if (config.daytona.mode === "proxy") {
        background.add("probe role", base.role.role());
      }
      await readiness.checkUntilReady();
    },
    startDraining() {
      readiness.startDraining();
      inFlight.startDraining();
      holds?.startDraining();
      ownRequests.startDraining();
    },
    ...createDrain({ inFlight, ownRequests, upstream }, closing.signal),
    async close() {
      closing.abort();
      stopTimers();
      inFlight.abortAll();
      upstream.close();
      await following;
      await background.settled();
      store?.close();
      turns.dispose();
    },
  };
}

/** The sandboxes that are used most, and the limits in use. */
function statusOf(
  { usage, inFlight, budget, quota }: Base & Transport,
): ReturnType<GatewayService["status"]> {
  const limits = [...inFlight.limitsInUse(), {
    name: "BUFFER_BUDGET_BYTES",
    used: budget.usedBytes,
    limit: budget.limitBytes,
  }];
  const apiQuota = quota?.inUse;
  if (apiQuota !== undefined) limits.push({ name: "API quota", ...apiQuota });
  const counts = inFlight.sandboxesByTunnels(ROWS);
  return { sandboxes: sandboxRows(usage.top(ROWS), counts), limits };
}

/** Says that a provider is of no use without a rule about its users. */
function warnOfUnusedLogin({ daytona, login, oidc }: Config): void {
  const isUnused = daytona.mode === "hosted" && login.allow === undefined &&
    oidc.issuer !== undefined;
  if (!isUnused) return;
  loggerFor("start").warn(
    "nobody gets in by a login: OIDC_DOMAIN is set, but LOGIN_ALLOW is not",
  );
}

/** Has this thread's readers be fair to all sockets, where the platform allows connections to ourselves. */
async function openTurns(): Promise<DisposableStack> {
  const open = new DisposableStack();
  try {
    const turns = open.use(await SocketTurns.open());
    open.use(takeTurnsBy(() => turns.next()));
  } catch {
    // Sockets are polled less often beside a flood.
  }
  return open;
}

type Base = Awaited<ReturnType<typeof openBase>>;
type Resolvers = ReturnType<typeof createResolvers>;
type Judges = ReturnType<typeof createAuth>;
type Auth = Judges & ReturnType<typeof createLoginKeeping>;
type Transport = ReturnType<typeof createTransport>;
type OwnPages = ReturnType<typeof createOwnPages>;

/** Opens what all the rest uses: metrics, the durable tier, and the client of Daytona's API. */
async function openBase(
  config: Config,
  { version, platformShared = false, dial }: ServiceOptions,
  closing: AbortSignal,
) {
  const now = Date.now;
  const logger = loggerFor("gateway");
  const metrics = new Metrics(version);
  const usage = new SandboxUsage(() => performance.now());
  const budget = createBudget(config, metrics);
  const shouldReportTask = createReportLimit(() => performance.now());
  const background = new Background((task, reason) => {
    if (closing.aborted || !shouldReportTask(task)) return;
    logger.warn("background task failed", {
      task,
      reason: describeError(reason),
    });
  });
  const store = await openDurableStore(config.cache.location, {
    platformShared,
    now,
    onFailure: (failure) =>
      loggerFor("cache").warn("durable tier failed", {
        store: failure.store,
        reason: failure.message,
        cause: describeError(failure.cause),
      }),
  });
  const serviceKey = watchServiceKey(config.daytona, now);
  function onRegion(region: string | undefined): void {
    loggerFor("api").info(
      "the API knows this gateway as the proxy of a region",
      { region },
    );
  }
  // The key of Daytona's own proxy is nobody's but ours.
  const quota = config.daytona.mode === "hosted"
    ? new ApiQuota(now)
    : undefined;
  const api = new DaytonaApi(config.daytona, {
    closing,
    ...quota && { quota },
    onCall: (facts) => metrics.apiCall(facts),
    onKeyVerdict: (verdict) => serviceKey.record(verdict),
    onOwnersUntold: createWarning(
      "the API cannot tell users from machines (GET /api-keys/current is 404): any runner's key opens every sandbox; update Daytona",
    ),
    onRunnerRegion: (region) => role.sawRunnerIn(region),
    onSandboxHidden: createWarning(
      "the API does not show sandboxes to this gateway (GET /sandbox/ID is 403): their labels do not count, such as porthole.app-origin, and their states are not told",
    ),
  });
  const role = new RoleWatch(() => api.probeRole(), onRegion);
  const changes = new SandboxChanges(store, background);
  const lookups: LookupCacheOptions = {
    cache: config.cache,
    store,
    background,
    now,
    onEvent: reportCacheEvents(metrics, closing),
  };
  function sealerFor(purpose: string, maxLength?: number): Sealer {
    return createSealer({
      secrets: config.session.secrets,
      purpose,
      now,
      ...(maxLength === undefined ? {} : { maxLength }),
    });
  }
  return {
    version,
    closing,
    now,
    logger,
    metrics,
    usage,
    budget,
    background,
    store,
    changes,
    serviceKey,
    role,
    quota,
    api,
    lookups,
    sealerFor,
    upstream: new UpstreamClient(
      { ...config.upstream, ...config.limits },
      dial,
    ),
  };
}

/** Creates what tells who may see a sandbox, and where it is. */
function createResolvers(config: Config, base: Base) {
  const { api, role, lookups, background, now, sealerFor } = base;
  const isHosted = config.daytona.mode === "hosted";
  const remoteSettings = new RemoteSettings(config, {
    api,
    role: () => role.role(),
    warn: (message, facts) => loggerFor("start").warn(message, facts),
  });
  const { changes } = base;
  const states = new SandboxStates(api, {
    maxEntries: config.cache.maxEntries,
    background,
    now,
    onStarted: (sandboxId) =>
      background.add("announce start", changes.announce(sandboxId)),
  });
  const resolvers = isHosted
    ? createHostedResolvers(config, base, remoteSettings)
    : {
      sandboxes: new SandboxResolver(api, {
        ...lookups,
        sealer: sealerFor("runner"),
        appOrigin: config.public.appOrigin,
        upstream: base.upstream,
      }),
      access: new AccessResolver(api, lookups),
    };
  changes.tell([states, resolvers.sandboxes, resolvers.access]);
  return {
    remoteSettings,
    states,
    ...resolvers,
  };
}

/** Creates what judges credentials, and what finds the sandboxes that they are for. */
function createHostedResolvers(
  config: Config,
  base: Base,
  remoteSettings: RemoteSettings,
) {
  const { api, lookups, upstream } = base;
  const sandboxes = createHostedResolver(config, base);
  const access = new HostedAccess({
    api,
    sandboxes,
    issuers: () => remoteSettings.issuers,
    async opensLink(token, port) {
      const link = sandboxes.linkIdOf(token);
      const destination = await sandboxes.destinationOf(link, port, () => {});
      return destination !== null && await opensLink(upstream, destination);
    },
  }, lookups);
  return { sandboxes, access };
}

/** Why the log says that an answer about a sandbox is not believed. */
const MISTRUSTS: Readonly<Record<Mistrust, string>> = {
  another_sandbox:
    "the API answered with another sandbox: one has the id of another for its name; the other is not served until it is renamed",
  another_address:
    "the API says that a sandbox is where none of its proxies is (proxyTemplateUrl, GET /regions): it is not served",
};

/** Creates what finds sandboxes at a Daytona that somebody else runs. */
function createHostedResolver(
  config: Config,
  { api, lookups, sealerFor, upstream }: Base,
): HostedResolver {
  const shouldReport = createReportLimit(() => performance.now());
  return new HostedResolver(api, {
    ...lookups,
    sealer: sealerFor("preview"),
    appOrigin: config.public.appOrigin,
    upstream,
    onMistrust(reason, sandboxId) {
      if (!shouldReport(reason)) return;
      loggerFor("api").warn(MISTRUSTS[reason], { sandboxId });
    },
  });
}

/** Creates credentials, sessions and logins, and the gate that judges them. */
function createAuth(
  {
    public: { protocol: scheme, sandboxes: openTo },
    daytona: { mode },
    login: { allow, groupsClaim },
    session,
    cache,
    limits,
    log,
  }: Config,
  { lookups, metrics, now, quota, sealerFor }: Base,
  { remoteSettings, sandboxes, access }: Resolvers,
) {
  const isHosted = mode === "hosted";
  const cookies = new OwnCookies({ scheme, ...session });
  const subjects = new Subjects({
    mode: log.subject,
    secret: session.secrets[0] ?? "",
    maxRemembered: cache.maxEntries,
  });
  const logger = loggerFor("visits");
  const visits = new Visits({ logger, metrics, subjects });
  const sessions = new SessionSealer(sealerFor("session"), {
    now,
    maxRemembered: cache.maxEntries,
  });
  const provider = new OpenidProvider(
    remoteSettings,
    now,
    isHosted ? groupsClaim : undefined,
  );
  const loginAccess = isHosted
    ? new RuleAccess(allow, provider, lookups)
    : access;
  const logins = new LoginSessions({
    ...lookups,
    access: loginAccess,
    needsState: isHosted,
    provider,
    sealer: sealerFor("login-session", MAX_STORED_LENGTH),
  });
  const throttle = new Throttle({
    refusalsPerMinute: limits.refusalsPerMinute,
    maxClients: cache.maxEntries,
    now,
    checkQuota: () => quota?.checkForStrangers(),
  });
  const login = new Login({
    provider,
    transactions: new TransactionSealer(sealerFor("transaction"), now),
    redeemed: new RedeemedStates({
      store: lookups.store,
      maxStates: cache.maxEntries,
      now,
    }),
    throttle,
    logins,
    access: loginAccess,
    remoteSettings,
    visits,
    sessionTtlMs: session.ttlMs,
    now,
  });
  const gate = new Gate({
    sandboxes: openTo === "never" ? nonePublic(sandboxes) : sandboxes,
    access,
    sessions,
    logins,
    subjects,
    throttle,
    strangersLogIn: loginAccess !== access,
    scope: session.scope,
  });
  return {
    scheme,
    sessionScope: session.scope,
    cookies,
    sessions,
    provider,
    logins,
    login,
    subjects,
    visits,
    throttle,
    gate,
  };
}

/** Creates what keeps the sessions of logins, by what these are for. */
function createLoginKeeping(
  { session }: Config,
  { lookups, now, sealerFor }: Base,
  parts: Judges,
) {
  if (session.scope === "sandbox") {
    const keptLogins = new SandboxLogins({ ...parts, now });
    return { keptLogins, handover: undefined };
  }
  const codes = new Handover({
    sealer: sealerFor("login-code"),
    usedCodes: new UsedCodes(lookups.store, lookups.cache.maxEntries),
    now,
  });
  return {
    keptLogins: new UserLogins({ ...parts, handover: codes, now }),
    handover: new PreviewHandover({ ...parts, handover: codes, now }),
  };
}

/** Creates the budget of everything that is buffered for clients and apps. */
function createBudget(
  { limits: { bufferBudgetBytes } }: Config,
  metrics: Metrics,
): ByteBudget<BufferKind> {
  const logger = loggerFor("memory");
  const shouldReport = createReportLimit(() => performance.now());
  return new ByteBudget({
    limitBytes: bufferBudgetBytes,
    allowanceBytes: BUFFER_ALLOWANCE_BYTES,
    onEvicted(kind, bytes) {
      metrics.bufferEvicted(kind);
      if (!shouldReport(kind)) return;
      logger.warn(
        "BUFFER_BUDGET_BYTES are used up: ended the one that held most",
        { kind, bytes },
      );
    },
  });
}

/**
 * Watches over what Deno buffers of clients' messages, which is to stay within the budget as well, or within a share of
 * the memory that there is.
 */
function createMemoryGuard(
  { limits: { bufferBudgetBytes } }: Config,
  { metrics, budget, background, inFlight }: Base & Transport,
): MemoryGuard {
  const logger = loggerFor("memory");
  const shouldReport = createReportLimit(() => performance.now());
  const nativeBytes = createNativeBytes();
  const expectedBytes = createExpectedBytes({
    startBytes: nativeBytes(),
    bufferBudgetBytes,
    limitBytes: memoryLimit(),
  });
  return new MemoryGuard({
    nativeBytes,
    expectedBytes: () =>
      expectedBytes({
        exchanges: inFlight.count - inFlight.tunnelCount,
        tunnels: inFlight.tunnelCount,
        tlsConnections: budget.holders, // every such connection is one
      }),
    onDropped() {
      metrics.bufferEvicted("unseen");
      if (!shouldReport("unseen")) return;
      logger.warn(
        "memory grows by what Deno has read: dropped uploads or WebSockets of the client that has most",
      );
    },
    background,
  });
}

/** Creates what tells the API of the use of sandboxes. Somebody else's proxy does that by itself. */
function createActivity(
  { cache, daytona: { mode } }: Config,
  { api, store, background, now, metrics, closing }: Base,
): UseReports {
  if (mode === "hosted") return NO_REPORTS;
  return new Activity({
    report: (sandboxId) => api.updateLastActivity(sandboxId),
    maxSandboxes: cache.maxEntries,
    background,
    now,
    onEvent: (outcome) => metrics.activity(outcome),
    onFailure(error, sandboxId) {
      if (closing.aborted) return;
      loggerFor("activity").warn("activity report failed", {
        sandboxId,
        reason: describeError(error),
      });
    },
    sharedStore: store?.shared ? store : null,
  });
}

/** Creates the way to the runners, and what watches over it. */
function createTransport(
  config: Config,
  base: Base,
  { sandboxes }: Resolvers,
) {
  const { limits, cache } = config;
  const { now, upstream } = base;
  return {
    forwarder: new Forwarder({
      upstream,
      sandboxes,
      handshakes: new HandshakeForms({ maxApps: cache.maxEntries, now }),
    }),
    activity: createActivity(config, base),
    inFlight: new InFlight(limits),
    holds: createHolds(config, now),
  };
}

/** Creates what has requests wait; undefined if none does. */
function createHolds(
  { wake: { holdMs, portHoldMs } }: Config,
  now: () => number,
): Holds | undefined {
  return holdMs + portHoldMs === 0
    ? undefined
    : new Holds({ limitsMs: { start: holdMs, port: portHoldMs }, now });
}

/** Creates the gateway's own pages: a shutdown waits for requests for them too, but their limits are their own. */
function createOwnPages(
  config: Config,
  base: Base,
  resolvers: Resolvers,
  auth: Auth,
  { links = [] }: ServiceOptions,
) {
  const parts = { ...base, ...resolvers, ...auth };
  const readiness = new ReadinessChecks(parts);
  const basePage = config.public.basePage ? { links } : undefined;
  return {
    readiness,
    control: createControl({
      ...parts,
      readiness,
      basePage,
      webhookSecrets: config.webhookSecrets,
    }),
    ownRequests: new InFlight(OWN_LIMITS),
  };
}

/** Creates the data plane, with the gateway's own pages beside it. */
function createDispatch(
  config: Config,
  parts: Base & Resolvers & Auth & Transport & OwnPages,
  { lines, ownsProcess = false }: ServiceOptions,
): Dispatch {
  const { limits, session, public: { previewWarning, toolboxOnly } } = config;
  const { metrics, usage, logger, now, scheme, cookies } = parts;
  const { inFlight, upstream, throttle, sealerFor } = parts;
  const shouldReport = createReportLimit(() => performance.now());
  const leakedSockets = new LeakedSockets(now, () => {
    if (!shouldReport("sockets")) return;
    logger.warn(
      "too many sockets were lost or may be: responses are refused while their requests are still being sent",
      { lost: leakedSockets.count },
    );
  });
  metrics.setSources({
    inFlight: () => inFlight.count,
    tunnels: () => inFlight.tunnelCount,
    upstream: () => ({ ...upstream.stats(), ...upstream.totals() }),
    droppedLogLines: () => lines?.dropped ?? 0,
    leakedSockets: () => leakedSockets.count,
    bufferedBytes: () => parts.budget.usedBytes,
    limits: {
      exchanges: limits.concurrentExchanges,
      tunnels: limits.tunnels,
      bufferedBytes: limits.bufferBudgetBytes,
    },
    checks: () => parts.readiness.latest,
  });
  const accessLog = createAccessLog(config.log, lines);
  const memoryGuard = ownsProcess
    ? createMemoryGuard(config, parts)
    : undefined;
  const inspector = config.public.inspect ? new Inspector(now) : undefined;
  const services: ExchangeServices = {
    corsMode: config.public.corsMode,
    limits,
    trustedProxies: config.listen.trustedProxies.map((range) =>
      ipaddr.parseCIDR(range)
    ),
    inFlight,
    activity: parts.activity,
    clientLeg: {
      budget: parts.budget,
      memoryGuard,
      leakedSockets,
      readSizes: new ReadSizes(),
    },
    observer: inspector && new InspectObserver(inspector),
    ownersViewOf: inspector &&
      ((baseOrigin, sandbox) => `${baseOrigin}/inspect/${sandbox}`),
    onRecord(record) {
      accessLog(record);
      metrics.exchange(record);
      usage.record(record);
    },
    logger,
    now,
    scheme,
    remoteSettings: parts.remoteSettings,
    cookies,
    sessionScope: parts.sessionScope,
    allowedOrigins: new Set(config.public.allowedOrigins),
  };
  const sandboxes = new SandboxHandlers({
    ...services,
    toolboxOnly,
    sessionTtlMs: session.ttlMs,
    tunnelLimits: {
      bufferLimitBytes: limits.tunnelBufferBytes,
      maxMessageBytes: limits.messageBytes,
      budget: parts.budget,
      memoryGuard,
      bans: new FloodBans(() => performance.now()),
    },
    gate: parts.gate,
    visits: parts.visits,
    sessions: parts.sessions,
    cookieRelief: new CookieRelief(parts),
    login: parts.login,
    warning: previewWarning === "false" ? undefined : new Warning({
      wishes: previewWarning === "api"
        ? new WarningResolver(parts.api, parts.lookups)
        : undefined,
      scheme,
      cookies,
      sealer: sealerFor("warning"),
      now,
    }),
    waker: createWaker(config, parts),
    holds: parts.holds,
    handover: parts.handover,
    forwarder: parts.forwarder,
    states: parts.states,
    destinations: parts.sandboxes,
  });
  return new Dispatch({
    ...services,
    remoteSettings: parts.remoteSettings,
    sandboxes,
    servesPaths: config.daytona.mode === "proxy",
    inspect: inspector && { inspector, gate: parts.gate, login: parts.login },
    buildLogs: {
      builds: new BuildResolver(parts.api),
      throttle,
      upstream,
      subjects: parts.subjects,
    },
    control: parts.control,
    nextRequestId: createRequestIds(),
    ownRequests: parts.ownRequests,
    onOwnAnswer: (facts) => metrics.exchange(facts),
    onUntrustedProxy: (network) =>
      logger.warn(
        "X-Forwarded-For from an address that is not in TRUSTED_PROXIES: if that is a proxy, all its visitors count as one client",
        { network },
      ),
  });
}

/** Creates what lets visitors start a sandbox; undefined if they may not. */
function createWaker(
  { wake, daytona: { mode }, public: { allowedOrigins }, cache }: Config,
  parts: Base & Resolvers & Auth,
): Waker | undefined {
  if (wake.mode === "off") return undefined;
  const { api, store, changes, background, now, sealerFor } = parts;
  const { metrics } = parts;
  const logger = loggerFor("starts");
  return new Waker({
    ...parts,
    allowedOrigins: new Set(allowedOrigins),
    startsByVisit: wake.mode === "visit",
    maxEntries: cache.maxEntries,
    rights: new StartRights({ ...parts, wake, usesOwnKey: mode === "hosted" }),
    tickets: new StartTickets(sealerFor("start"), now),
    starts: new SandboxStarts(api, {
      store,
      changes,
      background,
      perHour: wake.perHour,
      maxEntries: cache.maxEntries,
      now,
      onEnd(start, end) {
        const { requestId, sandboxId, means, intent, by, subject } = start;
        metrics.sandboxStart(by, end.outcome);
        const facts = { requestId, sandboxId, means, intent, by, subject };
        logger.info("a visitor asked for a start", { ...facts, ...end });
      },
    }),
  });
}

/** What the log says of the gateway's own key. */
const OWN_KEYS = {
  proxy: {
    name: "PROXY_API_KEY",
    wanted: "the value that the API has under the same name",
    otherRole: "its proxy's",
  },
  hosted: {
    name: "DAYTONA_API_KEY",
    wanted: "an API key of your organization, which the dashboard makes",
    otherRole: "an organization's",
  },
} as const;

/** Creates the watch over the gateway's own key, which logs when the API begins to refuse it. */
function watchServiceKey(
  { mode }: Config["daytona"],
  now: () => number,
): KeyWatch {
  const logger = loggerFor("api");
  const { name, wanted, otherRole } = OWN_KEYS[mode];
  return new KeyWatch(now, (verdict) => {
    if (verdict === "accepted") {
      return logger.info(`the API accepts ${name} now`);
    }
    logger.error(
      `the API does not accept ${name}: it must be ${wanted}`,
      {
        reason: verdict === "unknown"
          ? "the API does not know the key (401)"
          : `the API knows the key, but not as ${otherRole} (403)`,
      },
    );
  });
}

/** Creates a warning about what the API cannot do, which is logged once. */
function createWarning(message: string): () => void {
  let isTold = false;
  return () => {
    if (isTold) return;
    isTold = true;
    loggerFor("api").warn(message);
  };
}

/** Starts the timers that look after tunnels and streams, which keep no process alive; returns a function to stop them. */
function startTimers(
  { limits: { bodyIdleTimeoutMs } }: Config,
  { inFlight, activity }: { inFlight: InFlight; activity: UseReports },
): () => void {
  const timers = [
    setInterval(() => inFlight.recheckAll(), RECHECK_INTERVAL_MS),
    setInterval(() => {
      activity.tick();
      if (bodyIdleTimeoutMs > 0) {
        inFlight.abortStalled(performance.now() - bodyIdleTimeoutMs);
      }
    }, TICK_MS),
  ];
  timers.forEach((timer) => Deno.unrefTimer(timer));
  return () => timers.forEach((timer) => clearInterval(timer));
}
