/** Preview sessions: the sealed content of a session cookie, and how it is checked each time it comes back. */
import { LRUCache } from "lru-cache";
import type { PreviewHost } from "../address/preview_host.ts";
import type { Sealer } from "../lib/seal.ts";

/** What all sessions have. */
interface SessionScope {
  /** The host label that it is valid on. */
  readonly label: string;
  readonly sandboxId: string;
  /** One port, or all ports of the sandbox if the credential opens all of them. */
  readonly scope: "sandbox" | number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A session created from a preview token, valid as long as the API accepts that token. */
export interface KeySession extends SessionScope {
  readonly kind: "key";
  readonly token: string;
}

/** A session created by a login; whether it is still valid is looked up by its id (see login_sessions.ts). */
export interface LoginSession extends SessionScope {
  readonly kind: "login";
  readonly id: string;
}

/** A session, unsealed. */
export type Session = KeySession | LoginSession;

/** Seals and opens sessions. */
export interface SessionSealer {
  seal(session: Session): Promise<string>;
  /** The session in `sealed` if it is authentic, unexpired and valid on this host; undefined otherwise. */
  open(
    sealed: string,
    host: Pick<PreviewHost, "label" | "port">,
  ): Session | undefined | Promise<Session | undefined>;
  /** The session in `sealed` if it is authentic and unexpired, for whichever host; undefined otherwise. */
  read(sealed: string): Session | undefined | Promise<Session | undefined>;
}

function isSession(value: unknown): value is Session {
  if (typeof value !== "object" || value === null) return false;
  const { kind, label, sandboxId, scope, expiresAt, token, id } =
    value as Record<string, unknown>;
  return typeof label === "string" && typeof sandboxId === "string" &&
    (scope === "sandbox" || typeof scope === "number") &&
    typeof expiresAt === "number" &&
    (kind === "key" && typeof token === "string" ||
      kind === "login" && typeof id === "string");
}

/** Creates the sealer of sessions; it caches up to `maxRemembered` opened ones, to decrypt each only once. */
export function createSessionSealer(
  sealer: Sealer,
  options: { now: () => number; maxRemembered: number },
): SessionSealer {
  const opened = new LRUCache<string, Session>({ max: options.maxRemembered });

  function unexpired(session: Session): Session | undefined {
    return session.expiresAt > options.now() ? session : undefined;
  }

  function validOn(
    session: Session | undefined,
    host: Pick<PreviewHost, "label" | "port">,
  ): Session | undefined {
    return session?.label === host.label &&
        (session.scope === "sandbox" || session.scope === host.port)
      ? session
      : undefined;
  }

  async function unseal(sealed: string): Promise<Session | undefined> {
    const session = (await sealer.open(sealed))?.session;
    if (!isSession(session)) return undefined;
    opened.set(sealed, session);
    return unexpired(session);
  }

  function read(
    sealed: string,
  ): Session | undefined | Promise<Session | undefined> {
    const cached = opened.get(sealed);
    return cached === undefined ? unseal(sealed) : unexpired(cached);
  }

  return {
    seal: (session) => sealer.seal({ session }, session.expiresAt),
    read,
    open(sealed, host) {
      const session = read(sealed);
      return session instanceof Promise
        ? session.then((opened) => validOn(opened, host))
        : validOn(session, host);
    },
  };
}
