/**
 * Configuration: the environment, read once at startup into one frozen value. {@linkcode SETTINGS} declares every
 * variable once, for parsing and for docs/settings.md. If Daytona's own proxy has a variable for the purpose, it has
 * the same name here.
 */
import { CLIENT_SHARE } from "../stream/byte_budget.ts";
import type { CacheLocation } from "./cache_location.ts";
import { conflicts, missingSettings } from "./conflicts.ts";
import { loginRule } from "./login_allow.ts";
import {
  type Environment,
  readSettings,
  type SettingProblem,
  type Table,
} from "./read_settings.ts";
import type { AnySection, CoreValues as Values, Sections } from "./section.ts";
import { APP_ORIGIN_MODES, PRIVATE_WITHIN_SEC, SETTINGS } from "./settings.ts";
import { partOf, shareOf } from "./shares.ts";

export { APP_ORIGIN_MODES, type CacheLocation, SETTINGS };

/** The whole configuration, as {@linkcode assemble} describes it, with those of features; it is frozen. */
export type Config = ReturnType<typeof assemble> & Sections;

/** The listener's certificate chain and private key: paths of PEM files. */
export type TlsFiles = NonNullable<Config["listen"]["tls"]>;

/** The modes of settings, which purposes.json describes. */
export type SessionScope = Config["session"]["scope"];
export type CorsMode = Config["public"]["corsMode"];
export type EdgeCache = Config["public"]["edgeCache"];
export type AppOriginMode = Config["public"]["appOrigin"];

type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** Reads the configuration, with that of features, or finds every problem with it; unknown variables are ignored. */
export function parseConfig(
  env: Environment,
  sections: readonly AnySection[],
): ConfigResult {
  const rows = sections.map((section) => section.rows);
  const table: typeof SETTINGS & Table = Object.assign({}, SETTINGS, ...rows);
  const read = readSettings<typeof SETTINGS>(table, env);
  const invalid = read.ok ? [] : read.problems;
  // One problem for each name: that it is invalid comes first.
  const problems = new Map(
    [...missingSettings(env), ...invalid].map((each) => [each.name, each]),
  );
  if (!read.ok || problems.size > 0) {
    const inOrder = Object.keys(table)
      .flatMap((name) => problems.get(name) ?? []);
    return { ok: false, problems: inOrder };
  }
  const { values } = read; // those of features, too
  const ofFeatures = sections
    .flatMap((each) => each.conflicts?.(values, values) ?? [])
    .map((each) => ({ ...each, purpose: table[each.name]?.purpose ?? "" }));
  const conflicting = [...conflicts(values), ...ofFeatures];
  if (conflicting.length > 0) return { ok: false, problems: conflicting };
  const configs = new Map<unknown, unknown>(
    sections.map((section) => [section, section.assemble(values, values)]),
  );
  const config = { ...deepFreeze(assemble(values)), sections: configs };
  return { ok: true, config: Object.freeze(config) };
}

/** The longest WebSocket message, unless it is set, or the budget is small: bytes. */
const MESSAGE_BYTES = 16 * 1024 * 1024;

function tlsFiles(values: Values) {
  const { ENABLE_TLS, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = values;
  return ENABLE_TLS && certFile && keyFile ? { certFile, keyFile } : undefined;
}

/** The location `given`, or that of Daytona's variables. */
function locationOf(
  given: CacheLocation | undefined,
  values: Values,
): CacheLocation {
  const { REDIS_CA_FILE: caFile, REDIS_HOST: hostname } = values;
  if (given?.kind === "redis") return { ...given, caFile };
  if (given !== undefined) return given;
  if (hostname === undefined) return { kind: "kv", path: undefined };
  return {
    kind: "redis",
    topology: "primary",
    nodes: [{ hostname, port: values.REDIS_PORT }],
    primary: "",
    tls: values.REDIS_TLS,
    caFile,
    username: values.REDIS_USERNAME,
    password: values.REDIS_PASSWORD,
    database: 0,
  };
}

/** Variables are in seconds, like Daytona's. */
function toMs(seconds: number): number {
  return seconds * 1000;
}

/** The configuration by subject, in ms and bytes: purposes.json says what each variable is for, settings.ts the rest. */
function assemble(values: Values) {
  // One of the two is set, as missingSettings() has found.
  const { DAYTONA_API_KEY, PROXY_API_KEY = "" } = values;
  const serviceKey = DAYTONA_API_KEY ?? PROXY_API_KEY;
  const {
    MAX_CONCURRENT_EXCHANGES: concurrentExchanges,
    MAX_TUNNELS: tunnels,
    BUFFER_BUDGET_BYTES: bufferBudgetBytes,
  } = values;
  const share = shareOf(concurrentExchanges);
  const exchangesPerClient = values.MAX_EXCHANGES_PER_CLIENT ?? share;
  return {
    listen: {
      hostname: values.PROXY_HOST,
      port: values.PROXY_PORT,
      reusePort: values.REUSE_PORT,
      trustedProxies: values.TRUSTED_PROXIES,
      /** Undefined for plain HTTP. */
      tls: tlsFiles(values),
    },
    public: {
      protocol: values.PROXY_PROTOCOL,
      domains: values.PROXY_DOMAIN,
      allowedOrigins: values.ALLOWED_ORIGINS,
      frameAncestors: values.FRAME_ANCESTORS,
      corsMode: values.CORS_MODE,
      edgeCache: values.EDGE_CACHE,
      appOrigin: values.APP_ORIGIN,
      sandboxes: values.PUBLIC,
      ports: {
        ceiling: values.PORT_POLICY,
        labelsOpen: values.PORT_POLICY_OPENS,
      },
      toolboxTakesPreviewToken: values.TOOLBOX_TAKES_PREVIEW_TOKEN,
      toolboxOnly: values.TOOLBOX_ONLY_MODE,
    },
    daytona: {
      /** Whose it is: `proxy` for the operator's own, whose proxy the gateway is; `hosted` for somebody else's. */
      mode: DAYTONA_API_KEY === undefined ? "proxy" : "hosted",
      apiUrl: values.DAYTONA_API_URL ?? "https://app.daytona.io/api",
      /** The gateway's own key: the proxy's, or the organization's. */
      serviceKey,
      timeoutMs: toMs(values.API_CLIENT_TIMEOUT_SEC),
    },
    cache: {
      location: locationOf(values.CACHE_URL, values),
      maxEntries: values.CACHE_MAX_ENTRIES,
      runnerTtlMs: toMs(values.RUNNER_TTL_SEC),
      privateWithinMs: toMs(values.PRIVATE_WITHIN_SEC ?? PRIVATE_WITHIN_SEC),
      /** Undefined for the longest time that this allows. */
      publicTtlMs: values.PUBLIC_TTL_SEC && toMs(values.PUBLIC_TTL_SEC),
      tokenTtlMs: toMs(values.TOKEN_TTL_SEC),
      tokenRefusedTtlMs: toMs(values.TOKEN_REFUSED_TTL_SEC),
      signedTokenTtlMs: toMs(values.SIGNED_TOKEN_TTL_SEC),
      staleIfErrorMs: toMs(values.STALE_IF_ERROR_SEC),
      tokenStaleIfErrorMs: toMs(values.TOKEN_STALE_IF_ERROR_SEC),
    },
    /** Where records are kept, unless that would forget them. */
    records: {
      location: locationOf(values.RECORDS_URL ?? values.CACHE_URL, values),
      /** For how long they count as they were read last, while that place is away. */
      staleIfErrorMs: toMs(values.RECORDS_STALE_IF_ERROR_SEC),
    },
    session: {
      /** Never empty: the first one seals, and all of them open. */
      secrets: values.SESSION_SECRETS.length > 0
        ? values.SESSION_SECRETS
        : [serviceKey],
      ttlMs: toMs(values.SESSION_TTL_SEC),
      scope: values.SESSION_SCOPE,
      sameSite: values.COOKIE_SAMESITE,
    },
    /** Issuer, client ID and audience are taken from the API's configuration if they are not set. */
    oidc: {
      clientId: values.OIDC_CLIENT_ID,
      clientSecret: values.OIDC_CLIENT_SECRET,
      issuer: values.OIDC_DOMAIN,
      publicIssuer: values.OIDC_PUBLIC_DOMAIN,
      audience: values.OIDC_AUDIENCE,
      scope: values.OIDC_SCOPE,
      allowInsecure: values.OIDC_ALLOW_INSECURE,
    },
    /** Who gets in by a login, where Daytona's API cannot tell. */
    login: {
      /** Undefined for nobody. */
      allow: loginRule(values.LOGIN_ALLOW),
      groupsClaim: values.OIDC_GROUPS_CLAIM,
      byLabel: values.LOGIN_BY_LABEL,
    },
    upstream: {
      connectTimeoutMs: toMs(values.UPSTREAM_CONNECT_TIMEOUT_SEC),
      headerTimeoutMs: toMs(values.UPSTREAM_HEADER_TIMEOUT_SEC),
      idleTimeoutMs: toMs(values.UPSTREAM_IDLE_TIMEOUT_SEC),
    },
    limits: {
      concurrentExchanges,
      exchangesPerSandbox: values.MAX_EXCHANGES_PER_SANDBOX ?? share,
      tunnelsPerSandbox: values.MAX_EXCHANGES_PER_SANDBOX ??
        partOf(tunnels, 8),
      /** Undefined for any number. */
      exchangesPerOrganization: values.MAX_EXCHANGES_PER_ORGANIZATION,
      /** Of exchanges whose responses have not begun. */
      waitingPerRunner: values.MAX_WAITING_PER_RUNNER ??
        partOf(concurrentExchanges, 4),
      tunnels,
      exchangesPerClient,
      tunnelsPerClient: values.MAX_TUNNELS_PER_CLIENT ??
        partOf(exchangesPerClient, 2, partOf(tunnels, 8, 500)),
      targetBytes: values.MAX_TARGET_BYTES,
      headerBytes: values.MAX_HEADER_BYTES,
      headerFields: values.MAX_HEADER_FIELDS,
      bodyIdleTimeoutMs: toMs(values.BODY_IDLE_TIMEOUT_SEC),
      messageBytes: values.MAX_MESSAGE_BYTES ??
        Math.min(MESSAGE_BYTES, Math.floor(CLIENT_SHARE * bufferBudgetBytes)),
      bufferBudgetBytes,
      tunnelBufferBytes: values.TUNNEL_BUFFER_BYTES,
      shutdownDelayMs: toMs(values.SHUTDOWN_DELAY_SEC),
      shutdownTimeoutMs: toMs(values.SHUTDOWN_TIMEOUT_SEC),
      refusalsPerMinute: values.REFUSALS_PER_MINUTE,
      lookupsPerClient: values.MAX_LOOKUPS_PER_CLIENT ??
        Math.ceil(exchangesPerClient / 2),
    },
    log: {
      level: values.LOG_LEVEL,
      format: values.LOG_FORMAT,
      clientAddress: values.LOG_CLIENT_ADDRESS,
      subject: values.LOG_SUBJECT,
      access: values.ACCESS_LOG,
      audit: values.AUDIT_LOG,
    },
    traceApps: values.TRACE_APPS,
    /** The address that serves metrics; undefined for none. */
    metrics: values.METRICS_PORT === undefined ? undefined : {
      hostname: values.METRICS_HOST ?? values.PROXY_HOST,
      port: values.METRICS_PORT,
    },
  } as const;
}

/** Freezes a tree of plain objects and arrays in place, and returns it. */
function deepFreeze<T extends object>(tree: T): T {
  for (const value of Object.values(tree)) {
    if (typeof value === "object" && value !== null) deepFreeze(value);
  }
  return Object.freeze(tree);
}

/** Explains to a person how to fix all of `problems`, as lines of text. */
export function formatProblems(problems: readonly SettingProblem[]): string {
  const width = Math.max(...problems.map(({ name }) => name.length));
  const indent = " ".repeat(width + 4);
  const entries = problems.map(({ name, given, allowed, purpose }) =>
    [
      `  ${name.padEnd(width)}  is ${given ?? "not set"}`,
      `${indent}${purpose}`,
      `${indent}Allowed: ${allowed}.`,
    ].join("\n")
  );
  return [
    "The gateway cannot start with this environment:",
    ...entries,
    "docs/settings.md lists every variable. To try the gateway without a Daytona of your own: deno run -q -P=demo scripts/demo.ts",
  ].join("\n\n");
}
