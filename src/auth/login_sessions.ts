/**
 * Login sessions on the server side. The tokens behind a session are kept, so that a user who loses access to the
 * sandbox loses the session as well; and so are logouts. Only a gateway without a durable tier, which forgets all
 * sessions at a restart, accepts an unknown one, unless a rule has to be applied to its user.
 */
import { SingleFlight } from "../cache/single_flight.ts";
import { GatewayError } from "../errors.ts";
import { type Awaitable, then } from "../lib/awaitable.ts";
import { ExpiringLru } from "../lib/lru.ts";
import type { Budget } from "../resolver/lookup_cache.ts";
import {
  LoginSessionStore,
  type LoginSessionStoreOptions,
  type OpenState,
  type SessionState,
} from "./login_session_store.ts";
import type { OpenidProvider, Tokens } from "./oidc/provider.ts";
import type {
  HostSession,
  LoginRef,
  LoginSession,
  Session,
  UserSession,
} from "./session.ts";

/** The user behind a login, and its access token. */
export interface LoginUser {
  readonly bearer: string;
  readonly clientAddress: string;
  readonly tokens: Tokens;
}

/** Tells whether users may open sandboxes: Daytona's API does, or a rule of the operator (see rule_access.ts). */
export interface LoginAccess {
  /** True if the user may open the sandbox; null if so, but it was deleted. Throws if that cannot be told now. */
  hasAccess(
    sandboxId: string,
    user: LoginUser,
    budget: Budget,
  ): Awaitable<boolean | null>;
}

/** A port of a sandbox, by id or name. */
export interface VisitedPort {
  readonly label: string;
  readonly port: number;
}

/** Tells whether users who are no members may look at a port all the same, by the labels of its sandbox. */
export interface VisitorAccess {
  /** Throws if that cannot be told now, or what `budget.spend` throws. */
  admits(place: VisitedPort, tokens: Tokens, budget: Budget): Promise<boolean>;
}

interface LoginSessionsOptions extends LoginSessionStoreOptions {
  readonly access: LoginAccess;
  readonly visitors?: VisitorAccess | undefined;
  /** True to refuse a session that no tier knows even where there is no durable one. */
  readonly needsState?: boolean;
  readonly provider: Pick<OpenidProvider, "state" | "refresh">;
}

/** Time before its expiry at which an access token is renewed, ms. */
const RENEW_BEFORE_MS = 30_000;

/** Least time between two attempts to renew one that has not expired yet, ms. */
const EARLY_RETRY_MS = 5000;

/** Begins, checks and ends login sessions. */
export class LoginSessions {
  readonly #options: LoginSessionsOptions;
  readonly #states: LoginSessionStore;
  readonly #renewals = new SingleFlight<OpenState | undefined>();
  readonly #triedEarly: ExpiringLru<string, true>;

  /** Prefix of the ids of this process: if we do not know such a session any more, it may have ended. */
  readonly #ownPrefix = `${crypto.randomUUID().slice(0, 8)}.`;

  constructor(options: LoginSessionsOptions) {
    this.#options = options;
    this.#states = new LoginSessionStore(options);
    const { maxEntries: max } = options.cache;
    this.#triedEarly = new ExpiringLru({ max, ttlMs: EARLY_RETRY_MS });
  }

  newId(): string {
    return this.#ownPrefix + crypto.randomUUID();
  }

  async begin(session: LoginRef, tokens: Tokens): Promise<void> {
    await this.#states.set(session, { ...tokens, state: "open" });
  }

  /**
   * True if the session still opens its sandbox; null if it would, but the sandbox was deleted. An access token that has
   * expired is renewed first, and one that is about to expire in the background.
   * @throws {GatewayError} `session_unavailable`, `login_unavailable` or `api_unreachable` if that cannot be
   * determined; what `budget.spend` throws
   */
  grantsAccess(
    session: LoginSession | HostSession,
    clientAddress: string,
    budget: Budget,
  ): Awaitable<boolean | null> {
    return then(this.#states.get(session.id), (known) => {
      if (known === undefined) {
        const { store, needsState = false } = this.#options;
        return store === null && !needsState &&
          !session.id.startsWith(this.#ownPrefix);
      }
      return then(
        this.#current(session, known),
        (user) => this.#mayOpen(session.sandboxId, user, clientAddress, budget),
      );
    });
  }

  /** True if a user has access to the sandbox; null if so, but it was deleted; false if the session has ended. */
  #mayOpen(
    sandboxId: string,
    user: OpenState | undefined,
    clientAddress: string,
    budget: Budget,
  ): Awaitable<boolean | null> {
    return user !== undefined && this.#options.access.hasAccess(
      sandboxId,
      { bearer: user.accessToken, clientAddress, tokens: user },
      budget,
    );
  }

  /** True if a user's session may be handed over to previews of a sandbox; throws as {@linkcode grantsAccess}. */
  async opens(
    sandboxId: string,
    session: UserSession,
    clientAddress: string,
    budget: Budget,
  ): Promise<boolean> {
    const user = await this.userOf(session);
    return await this.#mayOpen(sandboxId, user, clientAddress, budget) === true;
  }

  /** True if a session's user may look at a port as no member; throws as {@linkcode grantsAccess}. */
  async visits(
    place: VisitedPort,
    session: LoginRef,
    budget: Budget,
  ): Promise<boolean> {
    const { visitors } = this.#options;
    const user = visitors && await this.userOf(session);
    return user !== undefined &&
      await visitors?.admits(place, user, budget) === true;
  }

  /**
   * The user behind a session, with an access token; undefined if the session has ended, or is not known.
   * @throws {GatewayError} `session_unavailable` or `login_unavailable` if that cannot be determined
   */
  userOf(session: LoginRef): Awaitable<OpenState | undefined> {
    return then(
      this.#states.get(session.id),
      (known) => known && this.#current(session, known),
    );
  }

  /** What the user behind a session is called, by email address or `sub`; undefined if that cannot be told. */
  async nameOf(session: Session | undefined): Promise<string | undefined> {
    if (session === undefined || session.kind === "key") return undefined;
    const known = await this.#stateOf(session);
    return known?.state === "open"
      ? known.identity?.email ?? known.subject
      : undefined;
  }

  /** The state of a session; undefined also if it cannot be read now. */
  async #stateOf({ id }: LoginRef): Promise<SessionState | undefined> {
    try {
      return await this.#states.get(id);
    } catch {
      return undefined;
    }
  }

  /** The `sub` of the user behind a session that was looked at just now; undefined if it is not known. */
  subjectOf({ id }: LoginRef): string | undefined {
    return subjectOf(this.#states.peek(id));
  }

  /**
   * Ends a session before it expires, for all copies of its cookie. Resolves to the `sub` of its user, if that is known.
   * @throws {GatewayError} `logout_incomplete` if the durable tier did not store that
   */
  async end(session: LoginRef): Promise<string | undefined> {
    this.#renewals.forget(session.id);
    const before = await this.#stateOf(session);
    await this.#states.set(session, { state: "ended" });
    const subject = subjectOf(before);
    if (this.#options.now() >= session.expiresAt) return subject;
    // A lost write would leave the session open at other gateways, and here after a restart.
    if (!await this.#states.isEndStored(session.id)) {
      const reason = "The durable tier did not store the logout";
      throw new GatewayError("logout_incomplete", reason);
    }
    return subject;
  }

  /** The state with an access token that has not expired; undefined if the session has ended. */
  #current(
    session: LoginRef,
    known: SessionState,
  ): Awaitable<OpenState | undefined> {
    if (known.state === "ended") return undefined;
    const { expiresAt = Infinity } = known;
    const now = this.#options.now();
    if (now >= expiresAt) return this.#renewed(session, known);
    // Early, so that nobody waits for the provider, or is locked out while it is down for a moment.
    const isDue = now >= expiresAt - RENEW_BEFORE_MS;
    if (isDue && !this.#triedEarly.has(session.id)) {
      this.#triedEarly.set(session.id, true);
      const renewal = this.#renewed(session, known);
      this.#options.background.add("renew login session", renewal);
    }
    return known;
  }

  async #renewed(
    session: LoginRef,
    known: OpenState,
  ): Promise<OpenState | undefined> {
    const { refreshToken, issuer } = known;
    const { provider } = this.#options;
    if (refreshToken === undefined || provider.state !== "on") return known;
    return await this.#renewals.share(session.id, async (isCurrent) => {
      const before = await this.#states.getLatest(session.id);
      if (before?.state !== "open") return undefined;
      // Another gateway has renewed it: to a provider, a refresh token that is used twice looks stolen.
      if (before.accessToken !== known.accessToken) return before;
      const tokens = await provider.refresh(refreshToken, issuer);
      // A logout during the renewal must not be undone.
      const latest = await this.#states.getLatest(session.id);
      if (!isCurrent() || latest?.state !== "open") return undefined;
      if (tokens === null) {
        // Refused, unless another gateway was faster.
        if (latest.accessToken !== known.accessToken) return latest;
        await this.#states.set(session, { state: "ended" });
        return undefined;
      }
      // A refresh need not tell again who it is for.
      const { subject } = latest;
      const identity = tokens.identity ?? latest.identity;
      const next: OpenState = { subject, ...tokens, identity, state: "open" };
      await this.#states.set(session, next);
      return next;
    });
  }
}

function subjectOf(state: SessionState | undefined): string | undefined {
  return state?.state === "open" ? state.subject : undefined;
}
