/**
 * Hands a login over from the base host, where its session is, to a preview host, which cannot see that host's cookies.
 * A preview host that sends a browser to log in leaves it a cookie with a random verifier, and tells the login the
 * digest of it, the challenge. The login sends the browser back with a sealed code, which the preview host exchanges for
 * a session: once, within a minute, on the host that it is for, and only from the browser with that verifier. So a code
 * that somebody else gets to see is of no use, and nobody can be logged in by somebody else's.
 */
import { generateRandomCodeVerifier } from "oauth4webapi";
import {
  previewAuthority,
  type PreviewHost,
} from "../../address/preview_host.ts";
import type { HostSession, UserSession } from "../../auth/session.ts";
import { CHALLENGE } from "../../control/kept_logins.ts";
import { withParameter } from "../../http/query_parameter.ts";
import { digestKey } from "../../lib/digest.ts";
import type { Sealer } from "../../lib/seal.ts";
import type { UsedCodes } from "./used_codes.ts";

/** Dependencies of the handover. */
interface HandoverOptions {
  /** A sealer for this purpose only. */
  readonly sealer: Sealer;
  readonly usedCodes: Pick<UsedCodes, "use">;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
}

/** A verifier and its challenge: 256 bits each, in base64url. */
interface HandoverRequest {
  readonly verifier: string;
  readonly challenge: string;
}

/** The parts of a preview host that are in its URL. */
type Host = Omit<PreviewHost, "base">;

/** A code, unsealed. */
interface Code {
  /** Unique. */
  readonly id: string;
  /** The preview host that it is for, as in a URL. */
  readonly host: string;
  readonly challenge: string;
  /** Of the user's session. */
  readonly session: Pick<UserSession, "id" | "expiresAt">;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The query parameter with a code. */
export const CODE_PARAMETER = "PORTHOLE_LOGIN_CODE";

/** The time that a code may take from the base host to the preview host, ms. */
const CODE_TTL_MS = 60_000;

/** Most cookies that are tried as the verifier: over http, others than the host itself can set some. */
const MAX_VERIFIERS = 8;

/** The challenge of a verifier. */
function challengeOf(verifier: string): string {
  return digestKey([verifier]);
}

/** Issues codes and exchanges them. */
export class Handover {
  readonly #options: HandoverOptions;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** What a browser is sent to log in with: by the verifier that it has from an earlier time, or a new one. */
  request(presented: readonly string[]): HandoverRequest {
    const known = presented.findLast((value) => CHALLENGE.test(value));
    const verifier = known ?? generateRandomCodeVerifier();
    return { verifier, challenge: challengeOf(verifier) };
  }

  /** The URL of a preview, with the code that hands the session over to its host. */
  async urlWithCode(
    { url, host }: { readonly url: string; readonly host: Host },
    challenge: string,
    { id, expiresAt }: UserSession,
  ): Promise<string> {
    const { sealer, now } = this.#options;
    const code: Code = {
      id: crypto.randomUUID(),
      host: previewAuthority(host),
      challenge,
      session: { id, expiresAt },
      expiresAt: now() + CODE_TTL_MS,
    };
    const sealed = await sealer.seal({ code }, code.expiresAt);
    return withParameter(url, CODE_PARAMETER, sealed);
  }

  /**
   * The session of a preview host, for a code and the verifiers that came with it; undefined if the code is not for
   * that host or browser, has expired, or was used.
   *
   * @throws {GatewayError} `session_unavailable` if it cannot be told whether the code was used
   */
  async redeem(
    sealed: string,
    host: Host,
    presented: readonly string[],
  ): Promise<HostSession | undefined> {
    const code = codeOf((await this.#options.sealer.open(sealed))?.code);
    if (code?.host !== previewAuthority(host)) return undefined;
    const isFromHere = presented.slice(-MAX_VERIFIERS)
      .some((verifier) => challengeOf(verifier) === code.challenge);
    // In this order: nobody else can use a code up.
    if (!isFromHere) return undefined;
    const isUnused = await this.#options.usedCodes.use(code.id, code.expiresAt);
    if (!isUnused) return undefined;
    const { label: sandboxId, port } = host;
    return { kind: "host", ...code.session, sandboxId, port };
  }
}

/** The code in a payload; undefined if there is none. */
function codeOf(value: unknown): Code | undefined {
  const { id, host, challenge, session, expiresAt } = Object(value);
  const isCode =
    [id, host, challenge, session?.id].every((text) =>
      typeof text === "string"
    ) && [expiresAt, session?.expiresAt].every(Number.isFinite);
  return isCode ? { id, host, challenge, session, expiresAt } : undefined;
}
