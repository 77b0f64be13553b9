/** Creates credentials, sessions and logins, and the gate that judges them. */
import type { HostParser } from "../address/preview_host.ts";
import type { Config } from "../config/config.ts";
import type { ApiQuota } from "../daytona/quota.ts";
import type { Sealer } from "../lib/seal.ts";
import { AccessEvents } from "../observability/access_events.ts";
import { AUDIT, loggerFor } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import { Subjects } from "../observability/subjects.ts";
import type { LookupCacheOptions } from "../resolver/lookup_cache.ts";
import type { Access } from "../resolver/own/access.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import { Gate, type GateParts } from "./gate.ts";
import { GrantAccess } from "./grant_access.ts";
import { Login } from "./login_flow.ts";
import { LoginSessions } from "./login_sessions.ts";
import { OpenidProvider } from "./oidc/provider.ts";
import { RedeemedStates } from "./oidc/redeemed_states.ts";
import { TransactionSealer } from "./oidc/transaction.ts";
import { OwnCookies } from "./own_cookies.ts";
import { PortPolicy } from "./port_policy.ts";
import { nonePublic } from "./reasons/public.ts";
import { RuleAccess } from "./rule_access.ts";
import { SessionSealer } from "./session.ts";
import { SharedRefusals } from "./shared_refusals.ts";
import { Throttle } from "./throttle.ts";

/** Longest sealed login session, characters: it holds tokens, which may be long, and Deno KV limits values to 64 KiB. */
const MAX_STORED_LENGTH = 60_000;

interface AuthParts {
  readonly lookups: LookupCacheOptions;
  readonly closing: AbortSignal;
  readonly metrics: Metrics;
  /** Undefined if the gateway's key has no quota. */
  readonly quota: Pick<ApiQuota, "checkForStrangers"> | undefined;
  /** A sealer for one purpose, of texts up to `maxLength` characters. */
  readonly sealerFor: (purpose: string, maxLength?: number) => Sealer;
  readonly remoteSettings: RemoteSettings;
  readonly parseHost: HostParser;
  readonly sandboxes:
    & GateParts["sandboxes"]
    & ConstructorParameters<typeof PortPolicy>[1];
  readonly access: Access;
}

// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function createAuth(
  config: Config,
  { lookups, closing, metrics, quota, sealerFor, ...resolvers }: AuthParts,
) {
  const { daytona: { mode }, session, cache, limits, log, oidc } = config;
  const { protocol: scheme, sandboxes: openTo, ports } = config.public;
  const { toolboxTakesPreviewToken } = config.public;
  const { allow, groupsClaim: groups, byLabel } = config.login;
  const { remoteSettings, parseHost, sandboxes, access } = resolvers;
  const { store, background, now } = lookups;
  const isHosted = mode === "hosted";
  const isForNobody = isHosted && allow === undefined && !byLabel;
  if (isForNobody && oidc.issuer !== undefined) {
    loggerFor("start").warn(
      "nobody gets in by a login: OIDC_DOMAIN is set, but LOGIN_ALLOW is not",
    );
  }
  const cookies = new OwnCookies({ scheme, ...session });
  const maxRemembered = cache.maxEntries;
  const secret = session.secrets[0] ?? "";
  const subjects = new Subjects({ mode: log.subject, secret, maxRemembered });
  const logger = loggerFor(AUDIT);
  const accessEvents = new AccessEvents({ logger, metrics, subjects });
  const sealer = sealerFor("session");
  const sessions = new SessionSealer(sealer, { now, maxRemembered });
  const provider = new OpenidProvider(remoteSettings, now, groups, isHosted);
  const isNever = openTo === "never";
  const policy = { ...ports, nonePublic: isNever, allowsByLabel: byLabel };
  const portPolicy = new PortPolicy(policy, sandboxes);
  const byRule = new RuleAccess(allow, provider, lookups, portPolicy);
  const loginAccess = isHosted ? byRule : access;
  // A session that no tier knows would count as a member's.
  const visitors = isHosted || store !== null ? byRule : undefined;
  const logins = new LoginSessions({
    ...lookups,
    access: loginAccess,
    visitors,
    needsState: isHosted,
    provider,
    closing,
    sealer: sealerFor("login-session", MAX_STORED_LENGTH),
  });
  const throttle = new Throttle({
    refusalsPerMinute: limits.refusalsPerMinute,
    lookups: limits.lookupsPerClient,
    maxClients: maxRemembered,
    now,
    checkQuota: () => quota?.checkForStrangers(),
    onCharge: (client, count) => shared.add(client, count),
  });
  const shared = new SharedRefusals({
    store,
    secret,
    background,
    now,
    closing,
    charge: (client, count) => throttle.charge(client, count),
  });
  const login = new Login({
    provider,
    transactions: new TransactionSealer(sealerFor("transaction"), now),
    redeemed: new RedeemedStates({ store, maxEntries: maxRemembered, now }),
    throttle,
    logins,
    access: loginAccess,
    visitors,
    parseHost,
    accessEvents,
    sessionTtlMs: session.ttlMs,
    now,
  });
  const grants = new GrantAccess(now);
  const gate = new Gate({
    sandboxes: isNever ? nonePublic(sandboxes) : sandboxes,
    ports: portPolicy,
    access,
    sessions,
    logins,
    subjects,
    grants,
    toolboxTakesPreviewToken,
    throttle,
    strangersLogIn: isHosted,
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
    accessEvents,
    throttle,
    grants,
    ports: portPolicy,
    gate,
  };
}
