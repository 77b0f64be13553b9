/**
 * Configuration: the environment, read once at start into one frozen value. {@linkcode SETTINGS} declares every
 * variable once; parsing and the README's table both come from it. Where Daytona's own proxy has a variable for the
 * purpose, its name is used.
 */
import { z } from "zod";
import {
  addressRange,
  baseUrl,
  type DomainAndPort,
  integer,
  listenAddress,
  listOf,
  longSecret,
  oneOf,
  optional,
  origin,
  parentDomain,
  scope,
  seconds,
  token,
} from "./lib/formats.ts";
import { deepFreeze } from "./lib/freeze.ts";
import {
  type Format,
  readSettings,
  type Setting,
  type SettingProblem,
  type SettingValues,
} from "./lib/settings.ts";

/** Everything that can be configured: durations in milliseconds, sizes in bytes. */
export interface Config {
  readonly listen: {
    readonly hostname: string;
    /** 0 is any free port. */
    readonly port: number;
    /** Peers whose `X-Forwarded-For` is believed, in CIDR notation. */
    readonly trustedProxies: readonly string[];
  };
  readonly public: {
    /** The scheme that clients see, also where a load balancer in front terminates TLS. */
    readonly protocol: "http" | "https";
    /** Empty: taken from the API's `proxyTemplateUrl`. */
    readonly domains: readonly DomainAndPort[];
    readonly allowedOrigins: readonly string[];
    /** Who may read an app's answers across origins: see cors.ts. */
    readonly corsMode: CorsMode;
  };
  readonly daytona: {
    /** Without a slash at its end. */
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
    /** Never empty: the first one seals, all of them open. */
    readonly secrets: readonly string[];
    readonly ttlMs: number;
    /** `none` for previews inside another site's frame. */
    readonly sameSite: "lax" | "none";
  };
  /** Where it is not set, the API's own configuration tells. */
  readonly oidc: {
    readonly clientId: string | undefined;
    /** Undefined: a public client. */
    readonly clientSecret: string | undefined;
    /** The issuer, as this process reaches it. */
    readonly issuer: string | undefined;
    /** The issuer's base URL as browsers reach it, where that differs. */
    readonly publicIssuer: string | undefined;
    readonly audience: string | undefined;
    /** Space-separated, `openid` among them. */
    readonly scope: string;
    /** Whether an issuer may be plain http on another machine. */
    readonly allowInsecure: boolean;
  };
  readonly upstream: {
    readonly connectTimeoutMs: number;
    /** 0: as long as it takes. */
    readonly headerTimeoutMs: number;
    readonly idleTimeoutMs: number;
  };
  readonly limits: {
    readonly concurrentExchanges: number;
    readonly tunnelBufferBytes: number;
    readonly shutdownTimeoutMs: number;
    /** Failed credentials and unknown sandboxes that one client address may have a minute. */
    readonly refusalsPerMinute: number;
  };
  readonly log: {
    readonly level: LogLevel;
    readonly format: "json" | "pretty";
  };
}

/** Where the durable cache tier is kept. */
export type CacheLocation =
  | { readonly kind: "none" }
  /** As `Deno.openKv(path)` takes it: undefined is the platform's own database, `:memory:` one without a file. */
  | { readonly kind: "kv"; readonly path: string | undefined }
  | { readonly kind: "kv-connect"; readonly url: string };

/** The least severe level that is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How cross-origin answers are shared. */
export type CorsMode = (typeof CORS_MODES)[number];

const CORS_MODES = ["auto", "reflect", "off"] as const;

const LOG_LEVELS = ["trace", "debug", "info", "warning", "error"] as const;

const MIN_SECRET_LENGTH = 32;

/** Every environment variable, in the README's order. */
export const SETTINGS = {
  DAYTONA_API_URL: {
    group: "Daytona",
    purpose: "Base URL of the Daytona API.",
    format: baseUrl(),
  },
  PROXY_API_KEY: {
    group: "Daytona",
    purpose: "The key with which the proxy identifies itself to the API.",
    format: token(),
    secret: true,
  },
  API_CLIENT_TIMEOUT_SEC: {
    group: "Daytona",
    // Daytona's proxy waits 60 s; somebody is waiting for a page here, and a call is tried three times.
    purpose: "How long one call of the API may take.",
    format: seconds(),
    default: "10",
  },
  PROXY_HOST: {
    group: "Listening",
    purpose: "The address to listen on.",
    format: listenAddress(),
    default: "0.0.0.0",
  },
  PROXY_PORT: {
    group: "Listening",
    purpose: "The port to listen on; 0 takes any free one.",
    format: integer({ min: 0, max: 65535 }),
    default: "4000",
  },
  TRUSTED_PROXIES: {
    group: "Listening",
    purpose:
      "Load balancers in front, whose X-Forwarded-For names the client's address.",
    format: listOf(addressRange()),
    default: "",
    whenUnset: "none",
  },
  PROXY_PROTOCOL: {
    group: "Public addresses",
    // A wrong https fails in plain sight; a wrong http quietly drops Secure from every cookie.
    purpose:
      "The scheme that clients see, also behind a load balancer that terminates TLS.",
    format: oneOf("http", "https"),
    default: "https",
  },
  PROXY_DOMAIN: {
    group: "Public addresses",
    purpose:
      "Base domains: previews are at {port}-{sandbox} below them; the port, if any, is the one that clients see.",
    format: listOf(parentDomain()),
    default: "",
    whenUnset: "the API's `proxyTemplateUrl`",
  },
  ALLOWED_ORIGINS: {
    group: "Public addresses",
    purpose:
      "Origins whose pages may use a visitor's session in cross-origin requests.",
    format: listOf(origin()),
    default: "",
    whenUnset: "none",
  },
  CORS_MODE: {
    group: "Public addresses",
    purpose:
      "Whether previews can be read across origins: where the app says nothing itself (auto), always (reflect, as Daytona's proxy does, with credentials for trusted origins only), or as the app says (off).",
    format: oneOf(...CORS_MODES),
    default: "auto",
  },
  OIDC_DOMAIN: {
    group: "Login",
    purpose: "The OpenID Connect issuer, as the gateway reaches it.",
    format: optional(baseUrl()),
    default: "",
    whenUnset: "the API's configuration",
  },
  OIDC_PUBLIC_DOMAIN: {
    group: "Login",
    purpose: "The issuer as browsers reach it, where that differs.",
    format: optional(baseUrl()),
    default: "",
    whenUnset: "`OIDC_DOMAIN`",
  },
  OIDC_CLIENT_ID: {
    group: "Login",
    purpose: "The gateway's client id at the issuer.",
    format: optional(token()),
    default: "",
    whenUnset: "the API's configuration",
  },
  OIDC_CLIENT_SECRET: {
    group: "Login",
    purpose: "The client's secret; without one it is a public client.",
    format: optional(token()),
    default: "",
    whenUnset: "none",
    secret: true,
  },
  OIDC_AUDIENCE: {
    group: "Login",
    purpose: "The audience to ask for, so that the API takes the token.",
    format: optional(token()),
    default: "",
    whenUnset: "the API's configuration",
  },
  OIDC_SCOPE: {
    group: "Login",
    purpose:
      "The scopes to ask for; with offline_access most providers let a session outlast its access token.",
    format: scope(),
    default: "openid profile email",
  },
  OIDC_ALLOW_INSECURE: {
    group: "Login",
    purpose: "Whether the issuer may be plain http on another machine.",
    format: oneOf("true", "false"),
    default: "false",
  },
  SESSION_SECRETS: {
    group: "Sessions",
    purpose:
      "Secrets for session cookies: the first one seals, all of them open, so a new one is put in front.",
    format: listOf(longSecret(MIN_SECRET_LENGTH)),
    default: "",
    whenUnset: "derived from PROXY_API_KEY",
    secret: true,
  },
  SESSION_TTL_SEC: {
    group: "Sessions",
    purpose: "How long a session lasts.",
    format: seconds({ min: 60 }),
    default: "3600",
  },
  COOKIE_SAMESITE: {
    group: "Sessions",
    purpose:
      "`none` lets previews work inside another site's frame; it needs https.",
    format: oneOf("lax", "none"),
    default: "lax",
  },
  CACHE_URL: {
    group: "Cache",
    purpose: "Where answers of the API are kept across restarts and machines.",
    format: cacheLocation(),
    default: "kv:",
  },
  CACHE_MAX_ENTRIES: {
    group: "Cache",
    purpose: "How many answers of each kind are kept in memory.",
    format: integer({ min: 1, max: 10_000_000 }),
    default: "10000",
  },
  RUNNER_TTL_SEC: {
    group: "Cache",
    purpose: "How long it is remembered which runner holds a sandbox.",
    format: seconds(),
    default: "120",
  },
  PUBLIC_TTL_SEC: {
    group: "Cache",
    purpose: "How long it is remembered whether a sandbox is public.",
    format: seconds(),
    default: "120",
  },
  TOKEN_TTL_SEC: {
    group: "Cache",
    purpose: "How long an accepted token is remembered.",
    format: seconds(),
    default: "120",
  },
  TOKEN_REFUSED_TTL_SEC: {
    group: "Cache",
    purpose: "How long a refused token is remembered.",
    format: seconds(),
    default: "5",
  },
  SIGNED_TOKEN_TTL_SEC: {
    group: "Cache",
    purpose:
      "How long a signed link is remembered, and so may outlive its revocation.",
    format: seconds(),
    default: "60",
  },
  STALE_IF_ERROR_SEC: {
    group: "Cache",
    purpose:
      "How long past its time an answer is still used while the API is down.",
    format: seconds({ min: 0 }),
    default: "600",
  },
  UPSTREAM_CONNECT_TIMEOUT_SEC: {
    group: "Runners",
    purpose: "How long connecting to a runner may take.",
    format: seconds(),
    default: "10",
  },
  UPSTREAM_HEADER_TIMEOUT_SEC: {
    group: "Runners",
    // Long enough for slow pages and long polls, and yet no exchange is held for ever by an app that hangs.
    purpose:
      "How long an app may take until its response begins; 0 is without limit.",
    format: seconds({ min: 0 }),
    default: "300",
  },
  UPSTREAM_IDLE_TIMEOUT_SEC: {
    group: "Runners",
    purpose:
      "How long an unused connection to a runner is kept: shorter than the runner keeps it.",
    format: seconds(),
    default: "30",
  },
  MAX_CONCURRENT_EXCHANGES: {
    group: "Limits",
    purpose:
      "How many requests and WebSockets may be open at once; more are answered 503.",
    format: integer({ min: 1, max: 10_000_000 }),
    default: "10000",
  },
  REFUSALS_PER_MINUTE: {
    group: "Limits",
    purpose:
      "How many failed credentials and unknown sandboxes one client address may have a minute before it is answered 429.",
    format: integer({ min: 1, max: 1_000_000 }),
    default: "300",
  },
  TUNNEL_BUFFER_BYTES: {
    group: "Limits",
    purpose:
      "How many bytes a WebSocket may have waiting for a slow app before it is closed with 1013.",
    format: integer({ min: 65_536, max: 1_073_741_824 }),
    default: "16777216",
  },
  SHUTDOWN_TIMEOUT_SEC: {
    group: "Limits",
    purpose:
      "How long requests and WebSockets may go on after the first signal to stop.",
    format: seconds({ min: 0 }),
    default: "3600",
  },
  LOG_LEVEL: {
    group: "Logs",
    purpose: "The least severe level that is logged.",
    format: oneOf(...LOG_LEVELS),
    default: "info",
  },
  LOG_FORMAT: {
    group: "Logs",
    purpose: "One JSON object a line, or text for people.",
    format: oneOf("json", "pretty"),
    default: "json",
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** Either the configuration, or everything that is wrong with it. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** Reads the configuration out of environment variables; those that it does not know are left alone. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
): ConfigResult {
  const result = readSettings(SETTINGS, env);
  if (!result.ok) return result;
  const config = assemble(result.values);
  if (config.session.sameSite === "none" && config.public.protocol === "http") {
    const problem = {
      name: "COOKIE_SAMESITE",
      given: '"none"',
      allowed: "lax while PROXY_PROTOCOL is http",
      purpose: SETTINGS.COOKIE_SAMESITE.purpose,
    };
    return { ok: false, problems: [problem] };
  }
  return { ok: true, config: deepFreeze(config) };
}

function assemble(values: SettingValues<typeof SETTINGS>): Config {
  return {
    listen: {
      hostname: values.PROXY_HOST,
      port: values.PROXY_PORT,
      trustedProxies: values.TRUSTED_PROXIES,
    },
    public: {
      protocol: values.PROXY_PROTOCOL,
      domains: values.PROXY_DOMAIN,
      allowedOrigins: values.ALLOWED_ORIGINS,
      corsMode: values.CORS_MODE,
    },
    daytona: {
      apiUrl: values.DAYTONA_API_URL,
      serviceKey: values.PROXY_API_KEY,
      timeoutMs: values.API_CLIENT_TIMEOUT_SEC,
    },
    cache: {
      location: values.CACHE_URL,
      maxEntries: values.CACHE_MAX_ENTRIES,
      runnerTtlMs: values.RUNNER_TTL_SEC,
      publicTtlMs: values.PUBLIC_TTL_SEC,
      tokenTtlMs: values.TOKEN_TTL_SEC,
      tokenRefusedTtlMs: values.TOKEN_REFUSED_TTL_SEC,
      signedTokenTtlMs: values.SIGNED_TOKEN_TTL_SEC,
      staleIfErrorMs: values.STALE_IF_ERROR_SEC,
    },
    session: {
      secrets: values.SESSION_SECRETS.length > 0
        ? values.SESSION_SECRETS
        : [values.PROXY_API_KEY],
      ttlMs: values.SESSION_TTL_SEC,
      sameSite: values.COOKIE_SAMESITE,
    },
    oidc: {
      clientId: values.OIDC_CLIENT_ID,
      clientSecret: values.OIDC_CLIENT_SECRET,
      issuer: values.OIDC_DOMAIN,
      publicIssuer: values.OIDC_PUBLIC_DOMAIN,
      audience: values.OIDC_AUDIENCE,
      scope: values.OIDC_SCOPE,
      allowInsecure: values.OIDC_ALLOW_INSECURE === "true",
    },
    upstream: {
      connectTimeoutMs: values.UPSTREAM_CONNECT_TIMEOUT_SEC,
      headerTimeoutMs: values.UPSTREAM_HEADER_TIMEOUT_SEC,
      idleTimeoutMs: values.UPSTREAM_IDLE_TIMEOUT_SEC,
    },
    limits: {
      concurrentExchanges: values.MAX_CONCURRENT_EXCHANGES,
      tunnelBufferBytes: values.TUNNEL_BUFFER_BYTES,
      shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_SEC,
      refusalsPerMinute: values.REFUSALS_PER_MINUTE,
    },
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT },
  };
}

function cacheLocation(): Format<CacheLocation> {
  return {
    allowed:
      "kv: (the platform's Deno KV), kv:PATH, kv::memory:, an https URL of a KV Connect service, or none",
    schema: z.string().transform((text, context): CacheLocation => {
      if (text === "none") return { kind: "none" };
      if (text.startsWith("kv:")) {
        return { kind: "kv", path: text.slice("kv:".length) || undefined };
      }
      if (text.startsWith("https://") && URL.canParse(text)) {
        return { kind: "kv-connect", url: text };
      }
      context.addIssue("neither a KV nor none");
      return z.NEVER;
    }),
  };
}

/** What a person needs to know to set right all of `problems`, as lines of text. */
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
    "The README lists every variable. To look around without a Daytona of your own: deno task demo",
  ].join("\n\n");
}
