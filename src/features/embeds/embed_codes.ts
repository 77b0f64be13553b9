/**
 * What embeds are opened and followed by, sealed: a code, for a minute and once, which the frame's address has in its
 * fragment; and a token, by which the page around the frame asks how the preview is, until an hour after the embed's end.
 */
import { previewOrigin } from "../../address/preview_host.ts";
import { ENDED_MS } from "../../auth/grants.ts";
import type { UsedCodes } from "../../auth/used_codes.ts";
import type { RecordPlace } from "../../control/api/record_routes.ts";
import type { Sealer } from "../../lib/seal.ts";

/** An embed, as it is named in what is sealed. */
interface EmbedRef {
  readonly id: string;
  readonly sandboxId: string;
  readonly port: number;
}

/** A code, opened. */
interface EmbedCode extends EmbedRef {
  readonly nonce: string;
  readonly expiresAt: number;
}

/** What a token is for: it holds all, since nobody knows the embed once that has ended. */
interface StateRef extends EmbedRef {
  readonly ancestors: readonly string[];
}

interface EmbedCodesOptions {
  /** Two sealers, each for its purpose only. */
  readonly codeSealer: Sealer;
  readonly stateSealer: Sealer;
  readonly usedCodes: Pick<UsedCodes, "use">;
  readonly scheme: "http" | "https";
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The page on preview hosts that becomes the preview, and where it exchanges its code. */
export const EMBED_PATH = "/.porthole/embed";

/** How the preview is. */
export const STATE_PATH = "/.porthole/state";

/** Tells codes from other secrets. */
const MARK = "pe_";

/** Time from the API to the frame, ms. */
const CODE_TTL_MS = 60_000;

/** Issues them, and opens them. */
export class EmbedCodes {
  readonly #options: EmbedCodesOptions;

  constructor(options: EmbedCodesOptions) {
    this.#options = options;
  }

  /** True if a text looks like a code. */
  isCode(text: string): boolean {
    return text.startsWith(MARK);
  }

  /** What whoever makes or renews an embed is told once. */
  async linksTo(
    { id, sandboxId, port, ancestors, authority, expiresAt }:
      & StateRef
      & Pick<RecordPlace, "authority" | "expiresAt">,
  ): Promise<Record<"url" | "stateUrl" | "stateToken", string>> {
    const { scheme, codeSealer, stateSealer, now } = this.#options;
    const label = sandboxId.toLowerCase();
    const host = { port, label, authoritySuffix: authority };
    const origin = previewOrigin(host, scheme);
    const nonce = crypto.randomUUID();
    const codeEndsAt = now() + CODE_TTL_MS;
    const code = { id, sandboxId, port, nonce, expiresAt: codeEndsAt };
    const state = { id, sandboxId, port, ancestors };
    const sealed = await codeSealer.seal({ code }, codeEndsAt);
    return {
      url: `${origin}${EMBED_PATH}#${MARK}${sealed}`,
      stateUrl: `${origin}${STATE_PATH}`,
      stateToken: await stateSealer.seal({ state }, expiresAt + ENDED_MS),
    };
  }

  /** A code by its text; undefined if it is none of ours, or over. */
  async open(text: string): Promise<EmbedCode | undefined> {
    if (!this.isCode(text)) return undefined;
    const { codeSealer } = this.#options;
    const payload = await codeSealer.open(text.slice(MARK.length));
    return payload?.["code"] as EmbedCode | undefined; // only linksTo() seals for this purpose
  }

  /** True the first time. @throws {GatewayError} `session_unavailable` if nobody knows */
  use({ nonce, expiresAt }: EmbedCode): Promise<boolean> {
    return this.#options.usedCodes.use(nonce, expiresAt);
  }

  /** What a token is for; undefined if it is none of ours, or over. */
  async openState(token: string): Promise<StateRef | undefined> {
    const payload = await this.#options.stateSealer.open(token);
    return payload?.["state"] as StateRef | undefined; // as above
  }
}
