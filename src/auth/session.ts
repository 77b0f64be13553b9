/** Preview sessions: what a session cookie holds, sealed, and what is checked of it each time it comes back. */
import { LRUCache } from "lru-cache";
import type { PreviewHost } from "../address/preview_host.ts";
import type { Sealer } from "../lib/seal.ts";

/** What every session says. */
interface SessionScope {
  /** The host label it was made for. */
  readonly label: string;
  readonly sandboxId: string;
  /** One port, or the whole sandbox where the credential opens that. */
  readonly scope: "sandbox" | number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A session made from a preview token. It is worth what the API says of that token now. */
export interface KeySession extends SessionScope {
  readonly kind: "key";
  readonly token: string;
}

/** A session made by a login; what it is worth now is known under its id (see login_sessions.ts). */
export interface LoginSession extends SessionScope {
  readonly kind: "login";
  readonly id: string;
}

/** An opened session. */
export type Session = KeySession | LoginSession;

/** Seals and opens sessions. */
export interface SessionSealer {
  seal(session: Session): Promise<string>;
  /** The session in `sealed` if it is ours, unexpired and made for this host; undefined otherwise. */
  open(
    sealed: string,
    host: Pick<PreviewHost, "label" | "port">,
  ): Session | undefined | Promise<Session | undefined>;
  /** The session in `sealed` if it is ours and unexpired, whatever it is for. */
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

/** Creates the sealer of sessions; `maxRemembered` opened ones are kept, since opening costs a decryption. */
export function createSessionSealer(
  sealer: Sealer,
  options: { now: () => number; maxRemembered: number },
): SessionSealer {
  const opened = new LRUCache<string, Session>({ max: options.maxRemembered });

  function unexpired(session: Session): Session | undefined {
    return session.expiresAt > options.now() ? session : undefined;
  }

  function madeFor(
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
    const known = opened.get(sealed);
    return known === undefined ? unseal(sealed) : unexpired(known);
  }

  return {
    seal: (session) =>
      sealer.seal({ session: { ...session } }, session.expiresAt),
    read,
    open(sealed, host) {
      const session = read(sealed);
      return session instanceof Promise
        ? session.then((opened) => madeFor(opened, host))
        : madeFor(session, host);
    },
  };
}
