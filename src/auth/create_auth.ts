/** Creates credentials, sessions and logins, and the gate that judges them. */
import type { Config } from "../config/config.ts";
import type { ApiQuota } from "../daytona/quota.ts";
import type { Sealer } from "../lib/seal.ts";
import { loggerFor } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import { Subjects } from "../observability/subjects.ts";
import { Visits } from "../observability/visits.ts";
import type { LookupCacheOptions } from "../resolver/lookup_cache.ts";
import type { Access } from "../resolver/own/access.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import { Gate, type GateParts, nonePublic } from "./gate.ts";
import { Login } from "./login_flow.ts";
import { LoginSessions } from "./login_sessions.ts";
import { OpenidProvider } from "./oidc/provider.ts";
import { RedeemedStates } from "./oidc/redeemed_states.ts";
import { TransactionSealer } from "./oidc/transaction.ts";
import { OwnCookies } from "./own_cookies.ts";
import { RuleAccess } from "./rule_access.ts";
import { SessionSealer } from "./session.ts";
import { Throttle } from "./throttle.ts";

/** Longest sealed login session, characters: it holds tokens, which may be long, and Deno KV limits values to 64 KiB. */
const MAX_STORED_LENGTH = 60_000;

/** Dependencies of {@linkcode createAuth}. */
interface AuthParts {
  readonly lookups: LookupCacheOptions;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Undefined if the gateway's key has no quota. */
  readonly quota: Pick<ApiQuota, "checkForStrangers"> | undefined;
  /** A sealer for one purpose, of texts up to `maxLength` characters. */
  readonly sealerFor: (purpose: string, maxLength?: number) => Sealer;
  readonly remoteSettings: RemoteSettings;
  readonly sandboxes: GateParts["sandboxes"];
  readonly access: Access;
}

/** Creates credentials, sessions and logins, and the gate that judges them. */
// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function createAuth(
  config: Config,
  { lookups, metrics, now, quota, sealerFor, ...resolvers }: AuthParts,
) {
  warnOfUnusedLogin(config);
  const { daytona: { mode }, session, cache, limits, log } = config;
  const { protocol: scheme, sandboxes: openTo } = config.public;
  const { allow, groupsClaim } = config.login;
  const { remoteSettings, sandboxes, access } = resolvers;
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

/** Says that a provider is of no use without a rule about its users. */
function warnOfUnusedLogin({ daytona, login, oidc }: Config): void {
  const isUnused = daytona.mode === "hosted" && login.allow === undefined &&
    oidc.issuer !== undefined;
  if (!isUnused) return;
  loggerFor("start").warn(
    "nobody gets in by a login: OIDC_DOMAIN is set, but LOGIN_ALLOW is not",
  );
}
