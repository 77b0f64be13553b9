/**
 * Login sessions on the server side. The tokens behind a session are kept, so that a user who loses access to the
 * sandbox loses the session as well; and so are logouts. A session that no tier knows is refused. Only a gateway
 * without a durable tier, which forgets all sessions at a restart, accepts an unknown one on the strength of its
 * cookie.
 */
import { LRUCache } from "lru-cache";
import type { OnCacheEvent } from "../cache/cache.ts";
import { SingleFlight } from "../cache/single_flight.ts";
import type { DurableStore } from "../cache/store.ts";
import { GatewayError } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import type { Sealer } from "../lib/seal.ts";
import type { AccessResolver } from "../resolver/access.ts";
import type { Budget } from "../resolver/lookup_cache.ts";
import {
  createLoginSessionStore,
  type OpenState,
} from "./login_session_store.ts";
import type { OpenidProvider, Tokens } from "./oidc/provider.ts";
import type { LoginSession } from "./session.ts";

/** Begins, checks and ends login sessions. */
export interface LoginSessions {
  /** An id for a new session. */
  newId(): string;
  /** Remembers the tokens of a new session. */
  begin(session: LoginSession, tokens: Tokens): Promise<void>;
  /**
   * Whether the session still opens its sandbox. An access token that has expired is renewed first, and one that is
   * about to expire in the background.
   *
   * @throws {GatewayError} `session_unavailable`, `login_unavailable` or `api_unreachable` if that cannot be
   * determined; what `budget.spend` throws
   */
  grantsAccess(
    session: LoginSession,
    clientAddress: string,
    budget: Budget,
  ): Promise<boolean>;
  /**
   * Ends a session before it expires, for all copies of its cookie.
   *
   * @throws {GatewayError} `logout_incomplete` if the durable tier did not store that
   */
  end(session: LoginSession): Promise<void>;
}

/** Dependencies of the login sessions. */
export interface LoginSessionsOptions {
  readonly access: Pick<AccessResolver, "hasAccess">;
  /** The identity provider; undefined until it is known. */
  readonly provider: () => Pick<OpenidProvider, "refresh"> | undefined;
  /** The durable tier; null if sessions are kept in process only. */
  readonly store: DurableStore | null;
  readonly sealer: Sealer;
  /** Tracks renewals, which outlive their request. */
  readonly background: Pick<Background, "add">;
  /** Most sessions kept in process. */
  readonly maxEntries: number;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
}

/** How long before its expiry an access token is renewed, ms. */
const RENEW_BEFORE_MS = 30_000;

/** Least time between two attempts to renew one that has not expired yet, ms. */
const EARLY_RETRY_MS = 5000;

/** Creates the login sessions of this process. */
export function createLoginSessions(
  options: LoginSessionsOptions,
): LoginSessions {
  const { access, store, now } = options;
  const states = createLoginSessionStore(options);
  const renewals = new SingleFlight<OpenState | undefined>();
  const triedEarly = new LRUCache<string, true>({
    max: options.maxEntries,
    ttl: EARLY_RETRY_MS,
    ttlResolution: 0, // holds no timer
  });

  /** Prefix of the ids of this process: if we do not know such a session any more, it may have ended. */
  const ownPrefix = `${crypto.randomUUID().slice(0, 8)}.`;

  /** The state with an access token that has not expired; undefined if the session has ended. */
  function current(
    session: LoginSession,
    known: OpenState,
  ): OpenState | undefined | Promise<OpenState | undefined> {
    const { expiresAt = Infinity } = known;
    if (now() < expiresAt - RENEW_BEFORE_MS) return known;
    if (now() >= expiresAt) return renewed(session, known);
    // Early, so that nobody waits for the provider, or is locked out while it is down for a moment.
    if (!triedEarly.has(session.id)) {
      triedEarly.set(session.id, true);
      options.background.add("renew login session", renewed(session, known));
    }
    return known;
  }

  async function renewed(
    session: LoginSession,
    known: OpenState,
  ): Promise<OpenState | undefined> {
    const { refreshToken } = known;
    const provider = options.provider();
    if (refreshToken === undefined || provider === undefined) return known;
    return await renewals.share(session.id, async (isCurrent) => {
      const before = await states.getLatest(session.id);
      if (before?.state !== "open") return undefined;
      // Another gateway has renewed it: to a provider, a refresh token that is used twice looks stolen.
      if (before.accessToken !== known.accessToken) return before;
      const tokens = await provider.refresh(refreshToken);
      // A logout during the renewal must not be undone.
      const latest = await states.getLatest(session.id);
      if (!isCurrent() || latest?.state !== "open") return undefined;
      if (tokens === null) {
        // Refused, unless another gateway was faster.
        if (latest.accessToken !== known.accessToken) return latest;
        await states.set(session, { state: "ended" });
        return undefined;
      }
      const next: OpenState = { ...tokens, state: "open" };
      await states.set(session, next);
      return next;
    });
  }

  async function grantsAccess(
    session: LoginSession,
    clientAddress: string,
    budget: Budget,
  ): Promise<boolean> {
    const found = states.get(session.id);
    const known = found instanceof Promise ? await found : found;
    if (known === undefined) {
      return store === null && !session.id.startsWith(ownPrefix);
    }
    if (known.state === "ended") return false;
    const latest = current(session, known);
    const state = latest instanceof Promise ? await latest : latest;
    return state !== undefined && await access.hasAccess(
      session.sandboxId,
      { bearer: state.accessToken, clientAddress },
      budget,
    );
  }

  return {
    newId: () => ownPrefix + crypto.randomUUID(),
    begin: (session, tokens) =>
      states.set(session, { ...tokens, state: "open" }),
    grantsAccess,
    async end(session) {
      renewals.forget(session.id);
      await states.set(session, { state: "ended" });
      if (now() >= session.expiresAt) return;
      // A lost write would leave the session open at other gateways, and here after a restart.
      if (!await states.isEndStored(session.id)) {
        throw new GatewayError(
          "logout_incomplete",
          "The durable tier did not store the logout",
        );
      }
    },
  };
}
