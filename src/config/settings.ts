/** The environment variables that every gateway has: their purposes, formats and defaults. Features have more. */
import { withTexts } from "../lib/with_texts.ts";
import { cacheLocation, REDIS_PORT } from "./cache_location.ts";
import {
  addressRange,
  ancestor,
  baseUrl,
  filePath,
  flag,
  integer,
  linuxFlag,
  listenAddress,
  listOf,
  longSecret,
  oidcScope,
  oneOf,
  optional,
  origin,
  orNone,
  orSpelt,
  previewDomain,
  seconds,
  shareOfSuccesses,
  token,
} from "./formats.ts";
import { loginAllowEntry } from "./login_allow.ts";
import { portRules } from "./port_rules.ts";
import purposes from "./purposes.json" with { type: "json" };
import { inGroup, type Table } from "./read_settings.ts";

const MIN_SECRET_LENGTH = 32;

/** Of things that take memory each. */
const COUNT = integer({ min: 1, max: 10_000_000 });

/** Of a part of a request's head. */
const HEAD_BYTES = integer({ min: 1000, max: 65_536 });

/** The time for which the API repeats its answer about a sandbox that has changed since, s. */
export const API_MEMORY_SEC = 3;

/** The default of that setting. */
export const PRIVATE_WITHIN_SEC = 10;

/** A default that leaves room for others. */
const A_SHARE =
  "an eighth of `MAX_CONCURRENT_EXCHANGES`, at most 1000 and at least 200, or 4/15 of it if that is less";

/** A default that is learned at runtime. */
const FROM_API = "the API's configuration";

/** What apps can be told of their own address. */
export const APP_ORIGIN_MODES = ["auto", "local", "pass"] as const;

const DAYTONA = inGroup("Daytona", {
  DAYTONA_API_URL: {
    format: optional(baseUrl),
    whenUnset:
      "`https://app.daytona.io/api` with `DAYTONA_API_KEY`; required otherwise",
  },
  PROXY_API_KEY: {
    format: optional(token),
    whenUnset: "`DAYTONA_API_KEY` is required",
    secret: true,
  },
  DAYTONA_API_KEY: {
    format: optional(token),
    whenUnset: "`PROXY_API_KEY` is required",
    secret: true,
  },
  // Daytona's proxy waits 60 s per attempt. Here a user is waiting for a page, and it covers all attempts.
  API_CLIENT_TIMEOUT_SEC: { format: seconds(), default: "10" },
});

const LISTENING = inGroup("Listening", {
  PROXY_HOST: { format: listenAddress, default: "0.0.0.0" },
  PROXY_PORT: { format: integer({ min: 0, max: 65535 }), default: "4000" },
  REUSE_PORT: { format: linuxFlag(), default: "false" },
  TRUSTED_PROXIES: { format: listOf(addressRange), whenUnset: "none" },
  ENABLE_TLS: { format: flag, default: "false" },
  TLS_CERT_FILE: { format: optional(filePath), whenUnset: "none" },
  TLS_KEY_FILE: { format: optional(filePath), whenUnset: "none" },
});

const PUBLIC_ADDRESSES = inGroup("Public addresses", {
  // A wrong https fails visibly; a wrong http silently drops Secure from every cookie.
  PROXY_PROTOCOL: { format: oneOf("http", "https"), default: "https" },
  PROXY_DOMAIN: {
    format: listOf(previewDomain),
    whenUnset: "the API's `proxyTemplateUrl`; required with `DAYTONA_API_KEY`",
  },
  ALLOWED_ORIGINS: { format: listOf(origin), whenUnset: "none" },
  FRAME_ANCESTORS: {
    format: optional(orNone(listOf(ancestor))),
    whenUnset: "any page may",
  },
  CORS_MODE: { format: oneOf("auto", "reflect", "off"), default: "auto" },
  EDGE_CACHE: { format: oneOf("off", "public"), default: "off" },
  APP_ORIGIN: { format: oneOf(...APP_ORIGIN_MODES), default: "auto" },
  PUBLIC: { format: oneOf("api", "never"), default: "api" },
  PORT_POLICY: { format: portRules, default: "public" },
  PORT_POLICY_OPENS: { format: flag, default: "false" },
  TOOLBOX_TAKES_PREVIEW_TOKEN: { format: flag, default: "true" },
  TOOLBOX_ONLY_MODE: { format: flag, default: "false" },
});

const LOGIN = inGroup("Login", {
  OIDC_DOMAIN: { format: optional(baseUrl), whenUnset: FROM_API },
  OIDC_PUBLIC_DOMAIN: { format: optional(baseUrl), whenUnset: "`OIDC_DOMAIN`" },
  OIDC_CLIENT_ID: { format: optional(token), whenUnset: FROM_API },
  OIDC_CLIENT_SECRET: {
    format: optional(token),
    whenUnset: "none",
    secret: true,
  },
  OIDC_AUDIENCE: { format: optional(token), whenUnset: FROM_API },
  OIDC_SCOPE: { format: oidcScope, default: "openid profile email" },
  OIDC_ALLOW_INSECURE: { format: flag, default: "false" },
  LOGIN_ALLOW: {
    format: listOf(loginAllowEntry),
    whenUnset: "nobody gets in by a login",
  },
  LOGIN_BY_LABEL: { format: flag, default: "false" },
  OIDC_GROUPS_CLAIM: { format: token, default: "groups" },
});

const SESSIONS = inGroup("Sessions", {
  SESSION_SECRETS: {
    format: listOf(longSecret(MIN_SECRET_LENGTH)),
    whenUnset: "derived from `PROXY_API_KEY` or `DAYTONA_API_KEY`",
    secret: true,
  },
  SESSION_TTL_SEC: { format: seconds({ min: 60 }), default: "3600" },
  SESSION_SCOPE: { format: oneOf("sandbox", "host"), default: "sandbox" },
  COOKIE_SAMESITE: { format: oneOf("lax", "none"), default: "lax" },
});

const CACHE = inGroup("Cache", {
  CACHE_URL: {
    format: optional(cacheLocation),
    whenUnset: "Redis if `REDIS_HOST` is set, `kv:` otherwise",
  },
  REDIS_HOST: { format: optional(listenAddress), whenUnset: "none" },
  REDIS_PORT: {
    format: integer({ min: 1, max: 65535 }),
    default: String(REDIS_PORT),
  },
  REDIS_USERNAME: { format: optional(token), whenUnset: "none" },
  REDIS_PASSWORD: { format: optional(token), whenUnset: "none", secret: true },
  REDIS_TLS: { format: flag, default: "false" },
  REDIS_CA_FILE: { format: optional(filePath), whenUnset: "the system's" },
  RECORDS_URL: {
    format: optional(cacheLocation),
    whenUnset: "that of `CACHE_URL`",
  },
  RECORDS_STALE_IF_ERROR_SEC: { format: seconds({ min: 0 }), default: "300" },
  CACHE_MAX_ENTRIES: { format: COUNT, default: "10000" },
  RUNNER_TTL_SEC: { format: seconds(), default: "120" },
  PRIVATE_WITHIN_SEC: {
    format: optional(seconds({ min: API_MEMORY_SEC + 2 })),
    whenUnset: `${PRIVATE_WITHIN_SEC}, or 3 more than \`PUBLIC_TTL_SEC\``,
  },
  PUBLIC_TTL_SEC: {
    format: optional(seconds()),
    whenUnset:
      "3 less than `PRIVATE_WITHIN_SEC`; 120 if the API's own Redis is the cache, where it tells of changes",
  },
  TOKEN_TTL_SEC: { format: seconds(), default: "120" },
  TOKEN_REFUSED_TTL_SEC: { format: seconds(), default: "5" },
  // The API tells neither a link's end nor its revocation.
  SIGNED_TOKEN_TTL_SEC: { format: seconds(), default: "5" },
  STALE_IF_ERROR_SEC: { format: seconds({ min: 0 }), default: "600" },
  TOKEN_STALE_IF_ERROR_SEC: { format: seconds({ min: 0 }), default: "0" },
});

const RUNNERS = inGroup("Runners", {
  UPSTREAM_CONNECT_TIMEOUT_SEC: { format: seconds(), default: "10" },
  // Long enough for slow pages and long polling, yet an app that hangs does not hold an exchange forever.
  UPSTREAM_HEADER_TIMEOUT_SEC: { format: seconds({ min: 0 }), default: "300" },
  UPSTREAM_IDLE_TIMEOUT_SEC: { format: seconds(), default: "30" },
});

const LIMITS = inGroup("Limits", {
  MAX_CONCURRENT_EXCHANGES: { format: COUNT, default: "10000" },
  MAX_EXCHANGES_PER_SANDBOX: {
    format: optional(COUNT),
    whenUnset: `${A_SHARE}; of WebSockets, an eighth of \`MAX_TUNNELS\``,
  },
  MAX_EXCHANGES_PER_ORGANIZATION: {
    format: optional(COUNT),
    whenUnset: "no limit",
  },
  MAX_WAITING_PER_RUNNER: {
    format: optional(COUNT),
    whenUnset: "a quarter of `MAX_CONCURRENT_EXCHANGES`",
  },
  MAX_TUNNELS: { format: COUNT, default: "5000" },
  MAX_EXCHANGES_PER_CLIENT: { format: optional(COUNT), whenUnset: A_SHARE },
  MAX_TUNNELS_PER_CLIENT: {
    format: optional(COUNT),
    whenUnset:
      "half of `MAX_EXCHANGES_PER_CLIENT`, but at most an eighth of `MAX_TUNNELS` and 500",
  },
  MAX_TARGET_BYTES: { format: HEAD_BYTES, default: "32768" },
  MAX_HEADER_BYTES: { format: HEAD_BYTES, default: "32768" },
  MAX_HEADER_FIELDS: { format: integer({ min: 10, max: 128 }), default: "100" },
  BODY_IDLE_TIMEOUT_SEC: { format: seconds({ min: 0 }), default: "300" },
  REFUSALS_PER_MINUTE: {
    format: integer({ min: 1, max: 1_000_000 }),
    default: "300",
  },
  // The other half of its requests is left for what is in the cache.
  MAX_LOOKUPS_PER_CLIENT: {
    format: optional(COUNT),
    whenUnset: "half of `MAX_EXCHANGES_PER_CLIENT`",
  },
  MAX_MESSAGE_BYTES: {
    format: optional(integer({ min: 65_536, max: 67_108_864 })),
    whenUnset:
      "16777216, or three quarters of `BUFFER_BUDGET_BYTES` if that is less",
  },
  BUFFER_BUDGET_BYTES: {
    format: integer({ min: 1_048_576, max: 1_099_511_627_776 }),
    default: "67108864",
  },
  TUNNEL_BUFFER_BYTES: {
    format: integer({ min: 65_536, max: 1_073_741_824 }),
    default: "16777216",
  },
  SHUTDOWN_TIMEOUT_SEC: { format: seconds({ min: 0 }), default: "3600" },
  SHUTDOWN_DELAY_SEC: { format: seconds({ min: 0, max: 600 }), default: "5" },
});

const OBSERVABILITY = inGroup("Observability", {
  METRICS_PORT: {
    format: optional(integer({ min: 0, max: 65535 })),
    whenUnset: "no metrics",
  },
  METRICS_HOST: {
    format: optional(listenAddress),
    whenUnset: "that of PROXY_HOST",
  },
  LOG_LEVEL: {
    format: orSpelt(oneOf("trace", "debug", "info", "warning", "error"), {
      warn: "warning",
    }),
    default: "info",
  },
  LOG_FORMAT: { format: oneOf("json", "pretty"), default: "json" },
  LOG_CLIENT_ADDRESS: { format: flag, default: "false" },
  LOG_SUBJECT: { format: oneOf("hash", "clear", "off"), default: "hash" },
  ACCESS_LOG: { format: shareOfSuccesses, default: "all" },
  AUDIT_LOG: { format: flag, default: "true" },
  TRACE_APPS: { format: flag, default: "false" },
});

/** These variables, in the order of docs/settings.md; the purpose of each is in purposes.json. */
export const SETTINGS = withTexts("purpose", {
  ...DAYTONA,
  ...LISTENING,
  ...PUBLIC_ADDRESSES,
  ...LOGIN,
  ...SESSIONS,
  ...CACHE,
  ...RUNNERS,
  ...LIMITS,
  ...OBSERVABILITY,
}, purposes) satisfies Table;
