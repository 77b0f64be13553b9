/** Composes what decides who has access: credentials, sessions, logins, and the gate that checks them. */
import { createGate, type Gate } from "../auth/gate.ts";
import { createLogin, type LoginState } from "../auth/login_flow.ts";
import {
  createLoginSessions,
  type LoginSessions,
} from "../auth/login_sessions.ts";
import { createOpenidProvider } from "../auth/oidc/provider.ts";
import { createTransactionSealer } from "../auth/oidc/transaction.ts";
import { type OwnCookies, ownCookies } from "../auth/own_cookies.ts";
import { createSessionSealer, type SessionSealer } from "../auth/session.ts";
import { createThrottle, type Throttle } from "../auth/throttle.ts";
import type { Config } from "../config/config.ts";
import { createAccessResolver } from "../resolver/access.ts";
import type {
  OidcSettings,
  RemoteSettings,
} from "../resolver/remote_settings.ts";
import type { SandboxResolver } from "../resolver/sandboxes.ts";
import type { Foundation } from "./foundation.ts";

/** Who has access, and how people get it. */
export interface Identity {
  readonly cookies: OwnCookies;
  readonly sessions: SessionSealer;
  readonly logins: LoginSessions;
  readonly throttle: Throttle;
  readonly gate: Gate;
  readonly login: () => LoginState;
}

/** Longest sealed login session, characters: it holds tokens, which may be long, and Deno KV limits values to 64 KiB. */
const MAX_STORED_LENGTH = 60_000;

/** Composes the gate, and all that grants access through it. */
export function composeIdentity(
  config: Config,
  foundation: Foundation,
  { sandboxes, installation }: {
    readonly sandboxes: SandboxResolver;
    readonly installation: RemoteSettings;
  },
): Identity {
  const { api, store, background, now, onEvent, sealerFor } = foundation;
  const { maxEntries } = config.cache;
  const access = createAccessResolver(api, foundation);
  const cookies = ownCookies({
    scheme: config.public.protocol,
    sameSite: config.session.sameSite,
  });
  const sessions = createSessionSealer(sealerFor("session"), {
    now,
    maxRemembered: maxEntries,
  });
  const transactions = createTransactionSealer(sealerFor("transaction"), now);
  const logins = createLoginSessions({
    access,
    provider() {
      const state = login();
      return state.kind === "on" ? state.provider : undefined;
    },
    store,
    sealer: sealerFor("login-session", MAX_STORED_LENGTH),
    background,
    maxEntries,
    now,
    onEvent,
  });
  const throttle = createThrottle({
    refusalsPerMinute: config.limits.refusalsPerMinute,
    maxClients: maxEntries,
    now,
  });

  function loginAt(settings: OidcSettings): LoginState {
    const provider = createOpenidProvider(settings, now);
    return {
      kind: "on",
      provider,
      login: createLogin({
        provider,
        transactions,
        sessions,
        logins,
        access,
        baseDomains: installation.baseDomains,
        sessionTtlMs: config.session.ttlMs,
        now,
      }),
    };
  }

  let on: LoginState | undefined;
  function login(): LoginState {
    const oidc = installation.oidc();
    return oidc.kind === "on" ? on ??= loginAt(oidc.settings) : oidc;
  }

  return {
    cookies,
    sessions,
    logins,
    throttle,
    gate: createGate({ sandboxes, access, sessions, logins, throttle }),
    login,
  };
}
