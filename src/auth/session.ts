/** Preview sessions: the sealed content of a session cookie, and how it is checked each time it comes back. */
import { type Awaitable, then } from "../lib/awaitable.ts";
import { Lru } from "../lib/lru.ts";
import type { Sealer } from "../lib/seal.ts";
import { type GrantSession, isGrantSession } from "./grants.ts";

/** What a login is known by: whether it is still valid is looked up by its id (see login_sessions.ts). */
export interface LoginRef {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A session created by a login, for all ports of a sandbox: the one that is the label of their hosts. */
export interface LoginSession extends LoginRef {
  readonly kind: "login";
  readonly sandboxId: string;
}

/** A session created by a login, on the base host, which hands it over to preview hosts (see login_code.ts). */
export interface UserSession extends LoginRef {
  readonly kind: "user";
}

/** Where a session counts: only where it was made. */
interface Place {
  /** The name, with the Host header's port; undefined for preview hosts. */
  readonly name?: string | undefined;
}

/** A session of one preview host or name, which its user's session was handed over to; it has the id of that one. */
export interface HostSession extends LoginRef, Place {
  readonly kind: "host";
  readonly sandboxId: string;
  readonly port: number;
}

/** A session created from a preview token, for all ports, valid as long as the API accepts that token. */
interface PreviewTokenSession extends Pick<LoginRef, "expiresAt">, Place {
  readonly kind: "key";
  readonly sandboxId: string;
  readonly token: string;
}

/** A session, unsealed. */
export type Session =
  | PreviewTokenSession
  | LoginSession
  | UserSession
  | HostSession
  | GrantSession;

/** Seals and opens sessions; it keeps opened ones, to decrypt each only once. */
export class SessionSealer {
  readonly #sealer: Sealer;
  readonly #now: () => number;
  readonly #opened: Lru<string, Session>;

  /** `maxRemembered` is the most opened sessions that are kept; `now` is in ms since the epoch. */
  constructor(
    sealer: Sealer,
    options: { now: () => number; maxRemembered: number },
  ) {
    this.#sealer = sealer;
    this.#now = options.now;
    this.#opened = new Lru({ max: options.maxRemembered });
  }

  seal(session: Session): Promise<string> {
    const { kind, expiresAt } = session;
    // Gateways of an earlier version, which run beside this one during an update, require the two further members.
    const sealed = kind === "key" || kind === "login"
      ? { ...session, label: session.sandboxId, scope: "sandbox" }
      : session;
    return this.#sealer.seal({ session: sealed }, expiresAt);
  }

  /** The session in `sealed` if it is authentic and unexpired, for whichever sandbox; undefined otherwise. */
  open(sealed: string): Awaitable<Session | undefined> {
    const session = this.#opened.get(sealed) ?? this.#unseal(sealed);
    return then(session, (session) => this.#unexpired(session));
  }

  #unexpired(session: Session | undefined): Session | undefined {
    return session !== undefined && session.expiresAt > this.#now()
      ? session
      : undefined;
  }

  async #unseal(sealed: string): Promise<Session | undefined> {
    const session = sessionOf((await this.#sealer.open(sealed))?.session);
    if (session !== undefined) this.#opened.set(sealed, session);
    return session;
  }
}

/** The session in a payload; undefined if it is none. */
function sessionOf(value: unknown): Session | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, sandboxId, port, name, scope, expiresAt, token, id } =
    value as Record<string, unknown>;
  if (typeof expiresAt !== "number") return undefined;
  if (isGrantSession(value)) return value;
  if (kind === "user") {
    return typeof id === "string" ? { kind, id, expiresAt } : undefined;
  }
  if (typeof sandboxId !== "string") return undefined;
  // Cookies sealed by earlier versions name a scope as well; one of a single port must not open the others.
  if (scope !== undefined && scope !== "sandbox") return undefined;
  const place = typeof name === "string" ? { name } : {};
  if (kind === "key" && typeof token === "string") {
    return { kind, sandboxId, token, ...place, expiresAt };
  }
  if (kind === "login" && typeof id === "string") {
    return { kind, sandboxId, id, expiresAt };
  }
  if (kind === "host" && typeof id === "string" && typeof port === "number") {
    return { kind, sandboxId, port, ...place, id, expiresAt };
  }
  return undefined;
}
