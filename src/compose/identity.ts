/** Builds what decides who may enter: credentials, sessions, logins, and the gate before them. */
import { createGate, type Gate } from "../auth/gate.ts";
import { createLogin, type Login } from "../auth/login.ts";
import {
  createLoginSessions,
  type LoginSessions,
} from "../auth/login_sessions.ts";
import {
  createOpenidProvider,
  type OpenidProvider,
} from "../auth/oidc/provider.ts";
import { createTransactionSealer } from "../auth/oidc/transaction.ts";
import { type OwnCookies, ownCookies } from "../auth/own_cookies.ts";
import { createSessionSealer, type SessionSealer } from "../auth/session.ts";
import { createThrottle, type Throttle } from "../auth/throttle.ts";
import type { Config } from "../config.ts";
import { createAccessDirectory } from "../directory/access.ts";
import type { Installation } from "../directory/installation.ts";
import type { SandboxDirectory } from "../directory/sandboxes.ts";
import type { Foundation } from "./foundation.ts";

/** Who may enter, and how they come by it. */
export interface Identity {
  readonly cookies: OwnCookies;
  readonly sessions: SessionSealer;
  readonly logins: LoginSessions;
  readonly throttle: Throttle;
  readonly gate: Gate;
  /** Null where there is none; undefined until that is known. */
  readonly provider: () => OpenidProvider | null | undefined;
  /** The same of logging in. */
  readonly login: () => Login | null | undefined;
}

/** Tokens that a login session stands for may be long: as much as Deno KV holds in one value. */
const MAX_STORED_LENGTH = 60_000;

/** Builds it. */
export function composeIdentity(
  config: Config,
  foundation: Foundation,
  { sandboxes, installation }: {
    sandboxes: SandboxDirectory;
    installation: Installation;
  },
): Identity {
  const { api, answers, sealerFor } = foundation;
  const { store, background, now, onEvent } = answers;
  const { maxEntries } = config.cache;
  const access = createAccessDirectory(api, answers);
  const cookies = ownCookies({
    scheme: config.public.protocol,
    sameSite: config.session.sameSite,
  });
  const sessions = createSessionSealer(sealerFor("session"), {
    now,
    maxRemembered: maxEntries,
  });

  let known: OpenidProvider | undefined;
  function provider(): OpenidProvider | null | undefined {
    const oidc = installation.oidc();
    if (oidc === null || oidc === undefined) return oidc;
    return known ??= createOpenidProvider(oidc, now);
  }
  const logins = createLoginSessions({
    access,
    provider: () => provider() ?? undefined,
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
  const transactions = createTransactionSealer(sealerFor("transaction"), now);

  return {
    cookies,
    sessions,
    logins,
    throttle,
    gate: createGate({ sandboxes, access, sessions, logins, throttle }),
    provider,
    login() {
      const asked = provider();
      return asked && createLogin({
        provider: asked,
        transactions,
        sessions,
        logins,
        access,
        baseDomains: installation.baseDomains,
        sessionTtlMs: config.session.ttlMs,
        now,
      });
    },
  };
}
