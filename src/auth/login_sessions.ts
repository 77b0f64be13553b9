/**
 * What is known of login sessions on our side: the tokens behind each, so that a user who loses access loses the
 * session, and which ones were logged out of. It is kept in the cache tiers, and a session that they do not know is
 * none. Only a gateway without a durable tier, which knows nothing after a restart, takes one for what it says.
 */
import { createCache, type OnCacheEvent } from "../cache/cache.ts";
import type { Codec } from "../cache/durable_tier.ts";
import { createSingleFlight } from "../cache/single_flight.ts";
import type { DurableStore } from "../cache/store.ts";
import type { AccessDirectory } from "../directory/access.ts";
import type { Charge } from "../directory/answers.ts";
import { GatewayError } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import type { Sealer } from "../lib/seal.ts";
import type { OpenidProvider, Tokens } from "./oidc/provider.ts";
import type { LoginSession } from "./session.ts";

/** A session that goes on, and the tokens behind it. */
interface OpenStanding extends Tokens {
  readonly state: "open";
}

/** The state of one login session. */
type Standing =
  | OpenStanding
  | { readonly state: "ended" };

/** On whose behalf a session is judged. */
export interface Caller {
  readonly address: string;
  readonly charge: Charge;
}

/** Judges and ends login sessions. */
export interface LoginSessions {
  /** An id for a new session. */
  newId(): string;
  /** Remembers the tokens of a new session. */
  begin(session: LoginSession, tokens: Tokens): Promise<void>;
  /** Whether the session still opens its sandbox; throws `api_unreachable` where that cannot be known. */
  grantsAccess(session: LoginSession, caller: Caller): Promise<boolean>;
  /** Ends a session before its time, wherever its cookie is; throws `logout_incomplete` where that is not kept. */
  end(session: LoginSession): Promise<void>;
}

/** An access token that ends sooner than this is renewed before it is used, ms. */
const RENEW_BEFORE_MS = 30_000;

/** The first part of the keys in the durable tier. */
const KIND = "login-session";

/** Nothing is known of a session. An error, so that the cache keeps nothing of it in the place of what is known. */
const UNKNOWN = new Error("Unknown session");

function isStanding(value: unknown): value is Standing {
  if (typeof value !== "object" || value === null) return false;
  const { state, accessToken } = value as Record<string, unknown>;
  return state === "ended" ||
    state === "open" && typeof accessToken === "string";
}

/** An access token leaves the process sealed only. */
function sealedStanding(sealer: Sealer): Codec<Standing> {
  return {
    encode: (standing, staleUntil) =>
      sealer.seal({ standing: { ...standing } }, staleUntil),
    async decode(json) {
      if (typeof json !== "string") return undefined;
      const standing = (await sealer.open(json))?.standing;
      return isStanding(standing) ? standing : undefined;
    },
  };
}

/** Creates the judge of login sessions. */
export function createLoginSessions(options: {
  access: Pick<AccessDirectory, "hasAccess">;
  /** Undefined until it is known. */
  provider: () => Pick<OpenidProvider, "refresh"> | undefined;
  store: DurableStore | null;
  sealer: Sealer;
  maxEntries: number;
  background: Background;
  onEvent: OnCacheEvent;
  now: () => number;
}): LoginSessions {
  const { access, store, now } = options;
  const codec = sealedStanding(options.sealer);
  const standings = createCache<Standing>({
    policy: {
      kind: KIND,
      maxEntries: options.maxEntries,
      staleIfErrorMs: 0,
    },
    durable: store && { store, codec },
    background: options.background,
    now,
    onEvent: options.onEvent,
  });

  /** What ids of ours begin with: one of them that is unknown was forgotten, and may have ended. */
  const mark = `${crypto.randomUUID().slice(0, 8)}.`;

  /** Twice its life: a cache renews in the last quarter of an entry's time, and here is nothing to renew from. */
  function holdMs(session: LoginSession): number {
    return 2 * (session.expiresAt - now());
  }

  /** Asked where no tier has a session: tells a tier that says so from one that says nothing. */
  async function ask(id: string): Promise<never> {
    const found = await store?.get([KIND, id]) ?? "absent";
    throw found === "absent"
      ? UNKNOWN
      : new GatewayError("session_unavailable", "The tier says nothing");
  }

  function standingOf(
    id: string,
  ): Standing | undefined | Promise<Standing | undefined> {
    return standings.getFresh([id]) ?? lookUp(id);
  }

  async function lookUp(id: string): Promise<Standing | undefined> {
    try {
      return await standings.get([id], () => ask(id));
    } catch (error) {
      if (error === UNKNOWN) return undefined;
      throw error;
    }
  }

  /** What holds at this moment: where others write too, our copy may be seconds behind what they made of a session. */
  async function latestOf(id: string): Promise<Standing | undefined> {
    const stored = store?.shared ? await store.get([KIND, id]) : "unavailable";
    if (stored === "absent") return undefined;
    return stored === "unavailable"
      ? await standingOf(id)
      : await codec.decode(stored.value);
  }

  function keep(session: LoginSession, value: Standing): Promise<void> {
    return standings.set([session.id], { value, ttlMs: holdMs(session) });
  }

  const renewals = createSingleFlight<OpenStanding | undefined>();

  /** The standing with an access token that is good for a while; undefined where the provider ended the login. */
  function renewed(
    session: LoginSession,
    standing: OpenStanding,
  ): OpenStanding | undefined | Promise<OpenStanding | undefined> {
    const { refreshToken, expiresAt = Infinity } = standing;
    const provider = options.provider();
    if (
      now() < expiresAt - RENEW_BEFORE_MS || refreshToken === undefined ||
      provider === undefined
    ) return standing;
    return renewals.share(session.id, async (isCurrent) => {
      const before = await latestOf(session.id);
      if (before?.state !== "open") return undefined;
      // Another gateway was first: providers take a refresh token that is used twice for stolen.
      if (before.accessToken !== standing.accessToken) return before;
      const tokens = await provider.refresh(refreshToken);
      // It may have ended meanwhile, and stays so.
      const latest = await latestOf(session.id);
      if (!isCurrent() || latest?.state !== "open") return undefined;
      const isOvertaken = latest.accessToken !== standing.accessToken;
      if (tokens === null && isOvertaken) return latest;
      const next = tokens === null
        ? undefined
        : { ...tokens, state: "open" } as const;
      await keep(session, next ?? { state: "ended" });
      return next;
    });
  }

  async function grantsAccess(
    session: LoginSession,
    { address, charge }: Caller,
  ): Promise<boolean> {
    const known = standingOf(session.id);
    const standing = known instanceof Promise ? await known : known;
    if (standing === undefined) {
      return store === null && !session.id.startsWith(mark);
    }
    if (standing.state === "ended") return false;
    const renewal = renewed(session, standing);
    const current = renewal instanceof Promise ? await renewal : renewal;
    return current !== undefined && await access.hasAccess(
      session.sandboxId,
      { bearer: current.accessToken, clientAddress: address },
      charge,
    );
  }

  return {
    newId: () => mark + crypto.randomUUID(),
    begin: (session, tokens) => keep(session, { ...tokens, state: "open" }),
    grantsAccess,
    async end(session) {
      renewals.overtake(session.id);
      await keep(session, { state: "ended" });
      if (store === null || now() >= session.expiresAt) return;
      // A write that is lost is no failure of a cache's, but here it would leave the session open elsewhere.
      const stored = await store.get([KIND, session.id]);
      const standing = typeof stored === "object"
        ? await codec.decode(stored.value)
        : undefined;
      if (standing?.state !== "ended") {
        throw new GatewayError("logout_incomplete", "Not kept");
      }
    },
  };
}
