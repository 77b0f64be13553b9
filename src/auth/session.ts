/**
 * Preview sessions: what a session cookie holds, sealed. A session never outgrows the credential it was made from:
 * it carries that credential and is worth what the API says of it now, so a token that is reset ends its sessions.
 */
import { LRUCache } from "lru-cache";
import type { PreviewHost } from "../address/preview_host.ts";
import type { Sealer } from "../lib/seal.ts";

/** An opened session. */
export interface Session {
  /** The host label it was made for. */
  readonly label: string;
  readonly sandboxId: string;
  /** One port, or the whole sandbox where the credential opens that. */
  readonly scope: "sandbox" | number;
  /** The sandbox's preview token. */
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Seals and opens sessions. */
export interface SessionSealer {
  seal(session: Session): Promise<string>;
  /** The session in `sealed` if it is ours, unexpired and made for this host; undefined otherwise. */
  open(
    sealed: string,
    host: PreviewHost,
  ): Session | undefined | Promise<Session | undefined>;
}

function isSession(value: unknown): value is Session {
  if (typeof value !== "object" || value === null) return false;
  const { label, sandboxId, scope, token, expiresAt } = value as Record<
    keyof Session,
    unknown
  >;
  return typeof label === "string" && typeof sandboxId === "string" &&
    (scope === "sandbox" || typeof scope === "number") &&
    typeof token === "string" && typeof expiresAt === "number";
}

/** Creates the sealer of sessions; `maxRemembered` opened ones are kept, since opening costs a decryption. */
export function createSessionSealer(
  sealer: Sealer,
  options: { now: () => number; maxRemembered: number },
): SessionSealer {
  const opened = new LRUCache<string, Session>({ max: options.maxRemembered });

  function admit(session: Session, host: PreviewHost): Session | undefined {
    return session.label === host.label &&
        (session.scope === "sandbox" || session.scope === host.port) &&
        session.expiresAt > options.now()
      ? session
      : undefined;
  }

  async function unseal(
    sealed: string,
    host: PreviewHost,
  ): Promise<Session | undefined> {
    const payload = await sealer.open(sealed);
    if (!isSession(payload?.session)) return undefined;
    opened.set(sealed, payload.session);
    return admit(payload.session, host);
  }

  return {
    seal: (session) =>
      sealer.seal({ session: { ...session } }, session.expiresAt),
    open(sealed, host) {
      const known = opened.get(sealed);
      return known === undefined ? unseal(sealed, host) : admit(known, host);
    },
  };
}
