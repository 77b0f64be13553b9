/**
 * Configuration: the environment, read once at startup into one frozen value. {@linkcode SETTINGS} declares every
 * variable once, for parsing and for the README's table. If Daytona's own proxy has a variable for the purpose, it has
 * the same name here.
 */
import { deepFreeze } from "../lib/freeze.ts";
import { isExposedHttp } from "../lib/insecure_http.ts";
import { type CacheLocation, formatLocalCache } from "./cache_location.ts";
import type { DomainAndPort } from "./preview_domain.ts";
import {
  readSettings,
  type SettingProblem,
  type SettingValues,
} from "./read_settings.ts";
import { type CORS_MODES, type LOG_LEVELS, SETTINGS } from "./settings.ts";
import { type WorkerCount, workersOn } from "./worker_count.ts";

export { type CacheLocation, SETTINGS, workersOn };

/** The whole configuration; durations are in milliseconds, sizes in bytes. */
export interface Config {
  readonly listen: {
    readonly hostname: string;
    /** 0 for any free port. */
    readonly port: number;
    /** Peers whose `X-Forwarded-For` is trusted, in CIDR notation. */
    readonly trustedProxies: readonly string[];
    /** Undefined for plain HTTP. */
    readonly tls: TlsFiles | undefined;
  };
  readonly public: {
    /** The scheme that clients see, even if a load balancer in front terminates TLS. */
    readonly protocol: "http" | "https";
    /** If empty, the domain comes from the API's `proxyTemplateUrl`. */
    readonly domains: readonly DomainAndPort[];
    readonly allowedOrigins: readonly string[];
    /** Who may read an app's responses across origins: see cors.ts. */
    readonly corsMode: CorsMode;
    /** Whether browsers are shown a warning page before their first visit to a preview. */
    readonly previewWarning: boolean;
    /** Whether only the toolbox is served. */
    readonly toolboxOnly: boolean;
  };
  readonly daytona: {
    /** Without a trailing slash. */
    readonly apiUrl: string;
    readonly serviceKey: string;
    readonly timeoutMs: number;
  };
  readonly cache: {
    readonly location: CacheLocation;
    readonly maxEntries: number;
    readonly runnerTtlMs: number;
    readonly publicTtlMs: number;
    readonly tokenTtlMs: number;
    readonly tokenRefusedTtlMs: number;
    readonly signedTokenTtlMs: number;
    readonly staleIfErrorMs: number;
  };
  readonly session: {
    /** Never empty: the first one seals, and all of them open. */
    readonly secrets: readonly string[];
    readonly ttlMs: number;
    /** `none` for previews embedded in another site's frame. */
    readonly sameSite: "lax" | "none";
  };
  /** Issuer, client id and audience are taken from the API's configuration if they are not set. */
  readonly oidc: {
    readonly clientId: string | undefined;
    /** Undefined for a public client. */
    readonly clientSecret: string | undefined;
    /** The issuer, as this process reaches it. */
    readonly issuer: string | undefined;
    /** The issuer's base URL as browsers reach it, if that differs. */
    readonly publicIssuer: string | undefined;
    readonly audience: string | undefined;
    /** Space-separated, including `openid`. */
    readonly scope: string;
    /** Whether the issuer may be plain http even on another machine. */
    readonly allowInsecure: boolean;
  };
  readonly upstream: {
    readonly connectTimeoutMs: number;
    /** 0 for no limit. */
    readonly headerTimeoutMs: number;
    readonly idleTimeoutMs: number;
  };
  readonly limits: {
    readonly concurrentExchanges: number;
    readonly exchangesPerSandbox: number;
    readonly tunnels: number;
    readonly targetBytes: number;
    readonly headerBytes: number;
    readonly headerFields: number;
    /** 0 for no limit. */
    readonly bodyIdleTimeoutMs: number;
    readonly tunnelBufferBytes: number;
    /** How long the gateway still accepts connections after it has become unready. */
    readonly shutdownDelayMs: number;
    readonly shutdownTimeoutMs: number;
    /** Budget of a client address for failed credentials and unknown sandboxes, per minute. */
    readonly refusalsPerMinute: number;
  };
  readonly log: {
    readonly level: LogLevel;
    readonly format: "json" | "pretty";
    /** Whether the access log has clients' addresses. */
    readonly clientAddress: boolean;
  };
  /** The address that serves metrics; undefined for none. */
  readonly metrics:
    | { readonly hostname: string; readonly port: number }
    | undefined;
  /** Several workers share the port and the cache's database. */
  readonly workers: WorkerCount;
}

/** The listener's certificate chain and private key: paths of PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The least severe level that is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** When an app's responses can be read across origins. */
export type CorsMode = (typeof CORS_MODES)[number];

/** Either the configuration, or every problem with it. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** Reads the configuration from environment variables; unknown ones are ignored. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
): ConfigResult {
  const result = readSettings(SETTINGS, env);
  if (!result.ok) return result;
  const problems = conflicts(result.values);
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, config: deepFreeze(assemble(result.values)) };
}

type Values = SettingValues<typeof SETTINGS>;

/** Values that are valid individually, but not in combination. */
function conflicts(values: Values): SettingProblem[] {
  const problems: SettingProblem[] = [];
  function report(
    name: keyof typeof SETTINGS,
    given: string | undefined,
    allowed: string,
  ): void {
    problems.push({ name, given, allowed, purpose: SETTINGS[name].purpose });
  }
  if (values.COOKIE_SAMESITE === "none" && values.PROXY_PROTOCOL === "http") {
    report("COOKIE_SAMESITE", '"none"', "lax while PROXY_PROTOCOL is http");
  }
  if (values.ENABLE_TLS) {
    for (const name of ["TLS_CERT_FILE", "TLS_KEY_FILE"] as const) {
      if (values[name] !== undefined) continue;
      report(name, undefined, "a path while ENABLE_TLS is true");
    }
  }
  if (
    values.METRICS_PORT === values.PROXY_PORT && values.PROXY_PORT !== 0 &&
    mayCollide(values.METRICS_HOST ?? values.PROXY_HOST, values.PROXY_HOST)
  ) {
    const given = JSON.stringify(String(values.METRICS_PORT));
    report("METRICS_PORT", given, "another port than PROXY_PORT");
  }
  const { OIDC_DOMAIN: issuer } = values;
  if (
    issuer !== undefined && isExposedHttp(issuer) &&
    !values.OIDC_ALLOW_INSECURE
  ) {
    report(
      "OIDC_DOMAIN",
      JSON.stringify(issuer),
      "an https URL, or plain http on this machine, while OIDC_ALLOW_INSECURE is false",
    );
  }
  if (values.WORKERS !== 1) {
    if (values.ENABLE_TLS) {
      report("ENABLE_TLS", '"true"', "false while WORKERS is not 1");
    }
    // Threads cannot share such a database: each would have its own, or find it locked.
    const location = cacheLocationOf(values);
    if (location.kind === "none" || location.kind === "kv") {
      const given = values.CACHE_URL &&
        JSON.stringify(formatLocalCache(location));
      const allowed = "redis://…, rediss://… or an https URL of a KV Connect " +
        "service while WORKERS is not 1, or REDIS_HOST instead";
      report("CACHE_URL", given, allowed);
    }
  }
  return problems;
}

/** Whether two addresses to listen on cannot both have the same port. */
function mayCollide(one: string, other: string): boolean {
  return one === other || [one, other].some((host) => ANY_ADDRESS.has(host));
}

const ANY_ADDRESS = new Set(["0.0.0.0", "::"]);

function tlsFiles(values: Values): TlsFiles | undefined {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = values;
  return values.ENABLE_TLS && certFile !== undefined &&
      keyFile !== undefined
    ? { certFile, keyFile }
    : undefined;
}

function cacheLocationOf(values: Values): CacheLocation {
  if (values.CACHE_URL !== undefined) return values.CACHE_URL;
  if (values.REDIS_HOST === undefined) return { kind: "kv", path: undefined };
  return {
    kind: "redis",
    tls: values.REDIS_TLS,
    hostname: values.REDIS_HOST,
    port: values.REDIS_PORT,
    username: values.REDIS_USERNAME,
    password: values.REDIS_PASSWORD,
    database: 0,
  };
}

/** Variables are in seconds, like Daytona's; inside the gateway, durations are in milliseconds. */
function toMs(seconds: number): number {
  return seconds * 1000;
}

function assemble(values: Values): Config {
  return {
    listen: {
      hostname: values.PROXY_HOST,
      port: values.PROXY_PORT,
      trustedProxies: values.TRUSTED_PROXIES,
      tls: tlsFiles(values),
    },
    public: {
      protocol: values.PROXY_PROTOCOL,
      domains: values.PROXY_DOMAIN,
      allowedOrigins: values.ALLOWED_ORIGINS,
      corsMode: values.CORS_MODE,
      previewWarning: values.PREVIEW_WARNING_ENABLED,
      toolboxOnly: values.TOOLBOX_ONLY_MODE,
    },
    daytona: {
      apiUrl: values.DAYTONA_API_URL,
      serviceKey: values.PROXY_API_KEY,
      timeoutMs: toMs(values.API_CLIENT_TIMEOUT_SEC),
    },
    cache: {
      location: cacheLocationOf(values),
      maxEntries: values.CACHE_MAX_ENTRIES,
      runnerTtlMs: toMs(values.RUNNER_TTL_SEC),
      publicTtlMs: toMs(values.PUBLIC_TTL_SEC),
      tokenTtlMs: toMs(values.TOKEN_TTL_SEC),
      tokenRefusedTtlMs: toMs(values.TOKEN_REFUSED_TTL_SEC),
      signedTokenTtlMs: toMs(values.SIGNED_TOKEN_TTL_SEC),
      staleIfErrorMs: toMs(values.STALE_IF_ERROR_SEC),
    },
    session: {
      secrets: values.SESSION_SECRETS.length > 0
        ? values.SESSION_SECRETS
        : [values.PROXY_API_KEY],
      ttlMs: toMs(values.SESSION_TTL_SEC),
      sameSite: values.COOKIE_SAMESITE,
    },
    oidc: {
      clientId: values.OIDC_CLIENT_ID,
      clientSecret: values.OIDC_CLIENT_SECRET,
      issuer: values.OIDC_DOMAIN,
      publicIssuer: values.OIDC_PUBLIC_DOMAIN,
      audience: values.OIDC_AUDIENCE,
      scope: values.OIDC_SCOPE,
      allowInsecure: values.OIDC_ALLOW_INSECURE,
    },
    upstream: {
      connectTimeoutMs: toMs(values.UPSTREAM_CONNECT_TIMEOUT_SEC),
      headerTimeoutMs: toMs(values.UPSTREAM_HEADER_TIMEOUT_SEC),
      idleTimeoutMs: toMs(values.UPSTREAM_IDLE_TIMEOUT_SEC),
    },
    limits: {
      concurrentExchanges: values.MAX_CONCURRENT_EXCHANGES,
      exchangesPerSandbox: values.MAX_EXCHANGES_PER_SANDBOX,
      tunnels: values.MAX_TUNNELS,
      targetBytes: values.MAX_TARGET_BYTES,
      headerBytes: values.MAX_HEADER_BYTES,
      headerFields: values.MAX_HEADER_FIELDS,
      bodyIdleTimeoutMs: toMs(values.BODY_IDLE_TIMEOUT_SEC),
      tunnelBufferBytes: values.TUNNEL_BUFFER_BYTES,
      shutdownDelayMs: toMs(values.SHUTDOWN_DELAY_SEC),
      shutdownTimeoutMs: toMs(values.SHUTDOWN_TIMEOUT_SEC),
      refusalsPerMinute: values.REFUSALS_PER_MINUTE,
    },
    log: {
      level: values.LOG_LEVEL,
      format: values.LOG_FORMAT,
      clientAddress: values.LOG_CLIENT_ADDRESS,
    },
    metrics: values.METRICS_PORT === undefined ? undefined : {
      hostname: values.METRICS_HOST ?? values.PROXY_HOST,
      port: values.METRICS_PORT,
    },
    workers: values.WORKERS,
  };
}

/** Explains to a person how to fix all of `problems`, as lines of text. */
export function formatProblems(problems: readonly SettingProblem[]): string {
  const width = Math.max(...problems.map(({ name }) => name.length));
  const indent = " ".repeat(width + 4);
  const entries = problems.map(({ name, given, allowed, purpose }) =>
    `  ${name.padEnd(width)}  ${
      given === undefined ? "is not set" : `is ${given}`
    }\n` +
    `${indent}${purpose}\n${indent}Allowed: ${allowed}.`
  );
  return [
    "The gateway cannot start with this environment:",
    ...entries,
    "The README lists every variable. To try the gateway without a Daytona of your own: deno task demo",
  ].join("\n\n");
}
