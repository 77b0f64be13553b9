/** The environment variables that every gateway has: their purposes, formats and defaults. Features have more. */
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
  token,
} from "./formats.ts";
import { loginAllowEntry } from "./login_allow.ts";
import { inGroup, setting, type Table } from "./read_settings.ts";

const MIN_SECRET_LENGTH = 32;

/** Of things that take memory each. */
const COUNT = integer({ min: 1, max: 10_000_000 });

/** The time for which the API repeats its answer about a sandbox that has changed since, s. */
export const API_MEMORY_SEC = 3;

/** The default of that setting. */
export const PRIVATE_WITHIN_SEC = 10;

/** A default that leaves room for others. */
const AN_EIGHTH = "an eighth of `MAX_CONCURRENT_EXCHANGES`, but at most 1000";

/** What apps can be told of their own address. */
export const APP_ORIGIN_MODES = ["auto", "local", "pass"] as const;

const DAYTONA = inGroup("Daytona", {
  DAYTONA_API_URL: setting("Base URL of the Daytona API.", {
    format: optional(baseUrl()),
    whenUnset:
      "`https://app.daytona.io/api` with `DAYTONA_API_KEY`; required otherwise",
  }),
  PROXY_API_KEY: setting(
    "For a Daytona that you run: the key of its proxy, whose place the gateway takes.",
    {
      format: optional(token()),
      whenUnset: "`DAYTONA_API_KEY` is required",
      secret: true,
    },
  ),
  DAYTONA_API_KEY: setting(
    "For a Daytona that somebody else runs, such as app.daytona.io: an API key of your organization.",
    {
      format: optional(token()),
      whenUnset: "`PROXY_API_KEY` is required",
      secret: true,
    },
  ),
  // Daytona's proxy waits 60 s per attempt. Here a user is waiting for a page, and it covers all attempts.
  API_CLIENT_TIMEOUT_SEC: setting(
    "Deadline of an API call, including retries.",
    { format: seconds(), default: "10" },
  ),
});

const LISTENING = inGroup("Listening", {
  PROXY_HOST: setting("The address to listen on.", {
    format: listenAddress(),
    default: "0.0.0.0",
  }),
  PROXY_PORT: setting("The port to listen on; 0 picks a free one.", {
    format: integer({ min: 0, max: 65535 }),
    default: "4000",
  }),
  REUSE_PORT: setting(
    "Lets several gateway processes of one user share PROXY_PORT; all need it, Redis or KV Connect, and a METRICS_PORT each.",
    { format: linuxFlag(), default: "false" },
  ),
  TRUSTED_PROXIES: setting(
    "Load balancers in front, whose X-Forwarded-For is trusted.",
    { format: listOf(addressRange()), whenUnset: "none" },
  ),
  ENABLE_TLS: setting(
    "Makes the listener itself speak TLS (HTTP/1.1 and HTTP/2).",
    { format: flag(), default: "false" },
  ),
  TLS_CERT_FILE: setting(
    "The certificate chain, PEM; reloaded when it changes and on SIGHUP.",
    { format: optional(filePath()), whenUnset: "none" },
  ),
  TLS_KEY_FILE: setting("The certificate's private key, PEM.", {
    format: optional(filePath()),
    whenUnset: "none",
  }),
});

const PUBLIC_ADDRESSES = inGroup("Public addresses", {
  // A wrong https fails visibly; a wrong http silently drops Secure from every cookie.
  PROXY_PROTOCOL: setting(
    "The scheme that clients see, even behind a load balancer that terminates TLS.",
    { format: oneOf("http", "https"), default: "https" },
  ),
  PROXY_DOMAIN: setting(
    "Base domains: previews are at {port}-{sandbox} under them; the port, if any, is the one that clients see.",
    {
      format: listOf(previewDomain()),
      whenUnset:
        "the API's `proxyTemplateUrl`; required with `DAYTONA_API_KEY`",
    },
  ),
  ALLOWED_ORIGINS: setting(
    "Origins whose pages may use a visitor's session in cross-origin requests and in frames.",
    { format: listOf(origin()), whenUnset: "none" },
  ),
  FRAME_ANCESTORS: setting(
    "Origins whose pages may frame public previews and signed links, besides the sandbox's own.",
    { format: optional(orNone(listOf(ancestor))), whenUnset: "any page may" },
  ),
  CORS_MODE: setting(
    "Who decides which other origins may read a preview: the app if it sets CORS headers, otherwise the gateway (auto); always the gateway (reflect, like Daytona's proxy, but with credentials for trusted origins only); or only the app (off).",
    { format: oneOf("auto", "reflect", "off"), default: "auto" },
  ),
  EDGE_CACHE: setting(
    "Whether a cache in front, such as a CDN, may store previews: never (off), or public ones as the app's Cache-Control says (public), even once the sandbox is private.",
    { format: oneOf("off", "public"), default: "off" },
  ),
  APP_ORIGIN: setting(
    "What an app is told of its own address, where a request comes from its own pages: localhost in WebSocket handshakes, and no Origin in GET (auto); localhost in every request (local); or the public address in all, like Daytona's proxy (pass). A sandbox's label `porthole.app-origin` comes first.",
    { format: oneOf(...APP_ORIGIN_MODES), default: "auto" },
  ),
  PUBLIC: setting(
    "Whether a sandbox that is public at Daytona opens without a credential (api), or no sandbox does (never).",
    { format: oneOf("api", "never"), default: "api" },
  ),
  TOOLBOX_TAKES_PREVIEW_TOKEN: setting(
    "Whether a preview token opens the toolbox, terminal and recordings too, or apps only (false), so that a link with one is no shell.",
    { format: flag(), default: "true" },
  ),
  TOOLBOX_ONLY_MODE: setting("Serves only the toolbox, and no other port.", {
    format: flag(),
    default: "false",
  }),
});

const LOGIN = inGroup("Login", {
  OIDC_DOMAIN: setting(
    "The OpenID Connect issuer, as the gateway reaches it.",
    { format: optional(baseUrl()), whenUnset: "the API's configuration" },
  ),
  OIDC_PUBLIC_DOMAIN: setting(
    "The issuer as browsers reach it, if that differs.",
    { format: optional(baseUrl()), whenUnset: "`OIDC_DOMAIN`" },
  ),
  OIDC_CLIENT_ID: setting("The gateway's client ID at the issuer.", {
    format: optional(token()),
    whenUnset: "the API's configuration",
  }),
  OIDC_CLIENT_SECRET: setting(
    "The client secret; without one, the gateway is a public client.",
    { format: optional(token()), whenUnset: "none", secret: true },
  ),
  OIDC_AUDIENCE: setting(
    "The audience to request, so that the API accepts the token.",
    { format: optional(token()), whenUnset: "the API's configuration" },
  ),
  OIDC_SCOPE: setting(
    "The scopes to request; with offline_access, most providers let a session outlive its access token.",
    { format: oidcScope(), default: "openid profile email" },
  ),
  OIDC_ALLOW_INSECURE: setting(
    "Allows an issuer by plain http even on another machine.",
    { format: flag(), default: "false" },
  ),
  LOGIN_ALLOW: setting(
    "With DAYTONA_API_KEY: whom a login lets see all sandboxes, by e-mail address, its domain or a group; only users whose address the issuer has verified. It is applied again all the time.",
    {
      format: listOf(loginAllowEntry()),
      whenUnset: "nobody gets in by a login",
    },
  ),
  OIDC_GROUPS_CLAIM: setting(
    "The claim that names a user's groups, for LOGIN_ALLOW.",
    { format: token(), default: "groups" },
  ),
});

const SESSIONS = inGroup("Sessions", {
  SESSION_SECRETS: setting(
    "Secrets for session cookies: the first one seals, and all of them open; to rotate, prepend a new one.",
    {
      format: listOf(longSecret(MIN_SECRET_LENGTH)),
      whenUnset: "derived from `PROXY_API_KEY` or `DAYTONA_API_KEY`",
      secret: true,
    },
  ),
  SESSION_TTL_SEC: setting("How long a session lasts.", {
    format: seconds({ min: 60 }),
    default: "3600",
  }),
  SESSION_SCOPE: setting(
    "What a login's cookie is for: all ports of its sandbox, by a cookie for the base domain (sandbox), or one preview host, each of which is handed a session of its own (host); with host, the base domain can be on the Public Suffix List.",
    { format: oneOf("sandbox", "host"), default: "sandbox" },
  ),
  COOKIE_SAMESITE: setting(
    "With `none`, the session of a link with a token that a frame of another site opens counts there, if that site is in `ALLOWED_ORIGINS`; no login does. It needs https.",
    { format: oneOf("lax", "none"), default: "lax" },
  ),
});

const CACHE = inGroup("Cache", {
  CACHE_URL: setting(
    "Where answers of the API are cached across restarts and machines.",
    {
      format: optional(cacheLocation()),
      whenUnset: "Redis if `REDIS_HOST` is set, `kv:` otherwise",
    },
  ),
  REDIS_HOST: setting(
    "The Redis server to use if CACHE_URL is not set.",
    { format: optional(listenAddress()), whenUnset: "none" },
  ),
  REDIS_PORT: setting("The port of the Redis server in REDIS_HOST.", {
    format: integer({ min: 1, max: 65535 }),
    default: String(REDIS_PORT),
  }),
  REDIS_USERNAME: setting("The user name for that Redis server.", {
    format: optional(token()),
    whenUnset: "none",
  }),
  REDIS_PASSWORD: setting("The password for that Redis server.", {
    format: optional(token()),
    whenUnset: "none",
    secret: true,
  }),
  REDIS_TLS: setting("Uses TLS for that Redis server.", {
    format: flag(),
    default: "false",
  }),
  RECORDS_URL: setting(
    "Where what members have granted is kept, such as tokens; Redis may be a Cluster. Not in `none` or `kv::memory:`: what needs it is off then.",
    { format: optional(cacheLocation()), whenUnset: "that of `CACHE_URL`" },
  ),
  CACHE_MAX_ENTRIES: setting(
    "Most answers of each kind in memory, and login sessions, opened cookies and clients with refusals.",
    { format: COUNT, default: "10000" },
  ),
  RUNNER_TTL_SEC: setting(
    "How long the runner of a sandbox is cached, and what its labels say.",
    { format: seconds(), default: "120" },
  ),
  PRIVATE_WITHIN_SEC: setting(
    "How long a sandbox may still be served as public once it is private, with the 3 s for which the API repeats its answer. The API is asked about twice in the rest of that.",
    {
      format: optional(seconds({ min: API_MEMORY_SEC + 2 })),
      whenUnset: `${PRIVATE_WITHIN_SEC}, or 3 more than \`PUBLIC_TTL_SEC\``,
    },
  ),
  PUBLIC_TTL_SEC: setting(
    "How long a sandbox is cached as public, in place of PRIVATE_WITHIN_SEC; once it is private, it may be served for 3 s more.",
    {
      format: optional(seconds()),
      whenUnset:
        "3 less than `PRIVATE_WITHIN_SEC`; 120 if the API's own Redis is the cache, where it tells of changes",
    },
  ),
  TOKEN_TTL_SEC: setting("How long an accepted token is cached.", {
    format: seconds(),
    default: "120",
  }),
  TOKEN_REFUSED_TTL_SEC: setting("How long a refused token is cached.", {
    format: seconds(),
    default: "5",
  }),
  // The API tells neither a link's end nor its revocation.
  SIGNED_TOKEN_TTL_SEC: setting(
    "How long a signed link is cached, and so may outlive its end.",
    { format: seconds(), default: "5" },
  ),
  STALE_IF_ERROR_SEC: setting(
    "How long past its TTL an answer about a sandbox may be used while the API is down.",
    { format: seconds({ min: 0 }), default: "600" },
  ),
  TOKEN_STALE_IF_ERROR_SEC: setting(
    "How long past its TTL an accepted token, key or login may be used while the API is down; one that was revoked opens so much longer.",
    { format: seconds({ min: 0 }), default: "0" },
  ),
});

const RUNNERS = inGroup("Runners", {
  UPSTREAM_CONNECT_TIMEOUT_SEC: setting(
    "How long connecting to a runner may take.",
    { format: seconds(), default: "10" },
  ),
  // Long enough for slow pages and long polling, yet an app that hangs does not hold an exchange forever.
  UPSTREAM_HEADER_TIMEOUT_SEC: setting(
    "How long an app may take to start its response; 0 means no limit.",
    { format: seconds({ min: 0 }), default: "300" },
  ),
  UPSTREAM_IDLE_TIMEOUT_SEC: setting(
    "How long an idle connection to a runner is kept; it must be shorter than the runner's own timeout.",
    { format: seconds(), default: "30" },
  ),
});

const LIMITS = inGroup("Limits", {
  MAX_CONCURRENT_EXCHANGES: setting(
    "Most concurrent requests and WebSockets; more are 503.",
    { format: COUNT, default: "10000" },
  ),
  MAX_EXCHANGES_PER_SANDBOX: setting(
    "Most concurrent requests and WebSockets for one sandbox.",
    { format: optional(COUNT), whenUnset: AN_EIGHTH },
  ),
  MAX_WAITING_PER_RUNNER: setting(
    "Most requests and WebSocket handshakes that wait for one runner's responses to begin, of which one sandbox may have a quarter; more are 503. Without effect with DAYTONA_API_KEY.",
    {
      format: optional(COUNT),
      whenUnset: "a quarter of `MAX_CONCURRENT_EXCHANGES`",
    },
  ),
  MAX_TUNNELS: setting("Most concurrent WebSockets.", {
    format: COUNT,
    default: "5000",
  }),
  MAX_EXCHANGES_PER_CLIENT: setting(
    "Most concurrent requests and WebSockets of one client address, or IPv6 /64; more are 429. Behind a balancer, it needs TRUSTED_PROXIES.",
    { format: optional(COUNT), whenUnset: AN_EIGHTH },
  ),
  MAX_TUNNELS_PER_CLIENT: setting("Most concurrent WebSockets among them.", {
    format: optional(COUNT),
    whenUnset:
      "half of `MAX_EXCHANGES_PER_CLIENT`, but at most an eighth of `MAX_TUNNELS` and 500",
  }),
  MAX_TARGET_BYTES: setting(
    "Longest path with its query; a longer one is 414.",
    { format: integer({ min: 1000, max: 65_536 }), default: "32768" },
  ),
  MAX_HEADER_BYTES: setting(
    "Largest size of a request's headers, in bytes; more is 431.",
    { format: integer({ min: 1000, max: 65_536 }), default: "32768" },
  ),
  MAX_HEADER_FIELDS: setting(
    "Most headers in a request; more are 431.",
    { format: integer({ min: 10, max: 128 }), default: "100" },
  ),
  BODY_IDLE_TIMEOUT_SEC: setting(
    "How long a client may stall its upload or download, and an app an upload; 0 means no limit. Buffers delay what is seen of a download, so a client must take about 10 KB/s at 300.",
    { format: seconds({ min: 0 }), default: "300" },
  ),
  REFUSALS_PER_MINUTE: setting(
    "How many failed credentials (repeats answered from the cache do not count), failed logins and unknown sandboxes a client address (of IPv6: a /64) may have per minute; more are 429.",
    { format: integer({ min: 1, max: 1_000_000 }), default: "300" },
  ),
  // The other half of its requests is left for what is in the cache.
  MAX_LOOKUPS_PER_CLIENT: setting(
    "Most questions to the API that a client address may have under way, for previews that are not in the cache; more are 429. A burst may exceed REFUSALS_PER_MINUTE by so many.",
    {
      format: optional(COUNT),
      whenUnset: "half of `MAX_EXCHANGES_PER_CLIENT`",
    },
  ),
  MAX_MESSAGE_BYTES: setting(
    "Longest WebSocket message, in bytes; a longer one closes its WebSocket with 1009.",
    { format: integer({ min: 65_536, max: 67_108_864 }), default: "16777216" },
  ),
  BUFFER_BUDGET_BYTES: setting(
    "How many bytes may be buffered for all clients and apps, beyond 64 KiB for each request; what would exceed it ends the one that holds most.",
    {
      format: integer({ min: 1_048_576, max: 1_099_511_627_776 }),
      default: "67108864",
    },
  ),
  TUNNEL_BUFFER_BYTES: setting(
    "How many bytes a WebSocket may buffer for a slow app before it is closed with 1013.",
    {
      format: integer({ min: 65_536, max: 1_073_741_824 }),
      default: "16777216",
    },
  ),
  SHUTDOWN_TIMEOUT_SEC: setting(
    "How long requests and WebSockets may continue after the first signal to stop.",
    { format: seconds({ min: 0 }), default: "3600" },
  ),
  SHUTDOWN_DELAY_SEC: setting(
    "How long after SIGTERM new connections are still accepted, while /ready already fails.",
    { format: seconds({ min: 0, max: 600 }), default: "5" },
  ),
});

const OBSERVABILITY = inGroup("Observability", {
  METRICS_PORT: setting(
    "The port that serves Prometheus metrics at /metrics, and a status page at /. It has no credential.",
    {
      format: optional(integer({ min: 0, max: 65535 })),
      whenUnset: "no metrics",
    },
  ),
  METRICS_HOST: setting("The address to serve the metrics on.", {
    format: optional(listenAddress()),
    whenUnset: "that of PROXY_HOST",
  }),
  LOG_LEVEL: setting(
    "The least severe level that is logged; trace and debug show nothing more than info.",
    {
      format: orSpelt(oneOf("trace", "debug", "info", "warning", "error"), {
        warn: "warning",
      }),
      default: "info",
    },
  ),
  LOG_FORMAT: setting("One JSON object per line, or text for people.", {
    format: oneOf("json", "pretty"),
    default: "json",
  }),
  LOG_CLIENT_ADDRESS: setting(
    "Adds the client's address, often personal data, to the access log.",
    { format: flag(), default: "false" },
  ),
  LOG_SUBJECT: setting(
    "How the log names who has logged in: by a keyed hash of the provider's `sub` (hash), by the `sub` itself, which is personal data (clear), or not at all (off).",
    { format: oneOf("hash", "clear", "off"), default: "hash" },
  ),
});

/** These variables, in the order of docs/settings.md. */
export const SETTINGS = {
  ...DAYTONA,
  ...LISTENING,
  ...PUBLIC_ADDRESSES,
  ...LOGIN,
  ...SESSIONS,
  ...CACHE,
  ...RUNNERS,
  ...LIMITS,
  ...OBSERVABILITY,
} satisfies Table;
