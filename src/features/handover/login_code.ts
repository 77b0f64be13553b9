/**
 * Hands a login over from the base host, where its session is, to a preview host or a name, where that host's cookies are
 * not sent, or do not count. Such a host leaves a browser that it sends to log in a cookie with a random verifier, and
 * tells the login the digest of it, the challenge. The login sends the browser back with a sealed code, which the host
 * exchanges for a session: once, within a minute, if it is for that host, and only from the browser with that verifier. So
 * a code that somebody else gets to see is of no use, and nobody can be logged in by somebody else's.
 */
import { generateRandomCodeVerifier } from "oauth4webapi";
import { z } from "zod";
import {
  previewAuthority,
  type PreviewHost,
} from "../../address/preview_host.ts";
import type { HostSession, LoginRef } from "../../auth/session.ts";
import type { UsedCodes } from "../../auth/used_codes.ts";
import { CHALLENGE } from "../../control/browser_sessions.ts";
import { withParameter } from "../../http/query_parameter.ts";
import { digestKey } from "../../lib/digest.ts";
import type { Sealer } from "../../lib/seal.ts";

interface HandoverOptions {
  /** A sealer for this purpose only. */
  readonly sealer: Sealer;
  readonly usedCodes: Pick<UsedCodes, "use">;
  readonly now: () => number;
}

type Host = Omit<PreviewHost, "base">;

const codeForm = z.object({
  id: z.string(),
  /** What it is for, from {@linkcode placeOf}. */
  host: z.string(),
  challenge: z.string(),
  session: z.object({ id: z.string(), expiresAt: z.number() }),
  expiresAt: z.number(),
});

/** The query parameter with a code. */
export const CODE_PARAMETER = "PORTHOLE_LOGIN_CODE";

/** Time from the base host to the preview host, ms. */
const CODE_TTL_MS = 60_000;

/** A preview host, as in a URL; a name with what it leads to, so that no code opens what it leads to a moment later. */
function placeOf(host: Host): string {
  const { name, port, label } = host;
  return name === undefined
    ? previewAuthority(host)
    : `${name} ${port}-${label}`;
}

/** Most cookies that are tried as the verifier: over http, others than the host itself can set some. */
const MAX_VERIFIERS = 8;

/** Issues codes and exchanges them. */
export class Handover {
  readonly #options: HandoverOptions;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** What a browser logs in with: its verifier from before or a new one, and the challenge; both 256 bits, base64url. */
  request(
    presented: readonly string[],
  ): { readonly verifier: string; readonly challenge: string } {
    const known = presented.findLast((value) => CHALLENGE.test(value));
    const verifier = known ?? generateRandomCodeVerifier();
    return { verifier, challenge: digestKey([verifier]) };
  }

  /** The URL of a preview, with the code that hands the session over to its host. */
  async urlWithCode(
    { url, host }: { readonly url: string; readonly host: Host },
    challenge: string,
    { id, expiresAt }: LoginRef,
  ): Promise<string> {
    const { sealer, now } = this.#options;
    const code = {
      id: crypto.randomUUID(),
      host: placeOf(host),
      challenge,
      session: { id, expiresAt },
      expiresAt: now() + CODE_TTL_MS,
    } satisfies z.input<typeof codeForm>;
    const sealed = await sealer.seal({ code }, code.expiresAt);
    return withParameter(url, CODE_PARAMETER, sealed);
  }

  /**
   * The session of a preview host or name, for a code and the verifiers that came with it; undefined if the code is not
   * for that host or browser, has expired, or was used.
   * @throws {GatewayError} `session_unavailable` if it cannot be told whether the code was used
   */
  async redeem(
    sealed: string,
    host: Host,
    presented: readonly string[],
  ): Promise<HostSession | undefined> {
    const opened = await this.#options.sealer.open(sealed);
    const code = codeForm.safeParse(opened?.code).data;
    if (code?.host !== placeOf(host)) return undefined;
    const isFromHere = presented.slice(-MAX_VERIFIERS)
      .some((verifier) => digestKey([verifier]) === code.challenge);
    // In this order: nobody else can use a code up.
    const isGood = isFromHere &&
      await this.#options.usedCodes.use(code.id, code.expiresAt);
    const { label: sandboxId, port, name } = host;
    return isGood
      ? { kind: "host", ...code.session, sandboxId, port, name }
      : undefined;
  }
}
