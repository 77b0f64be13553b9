/**
 * What embeds are opened and followed by, sealed: a code, for a minute and once, which the frame's address has in its
 * fragment; and a token, by which the page around the frame asks how the preview is, until an hour after the embed's end.
 */
import { previewOrigin } from "../../address/preview_host.ts";
import type { GrantCodes } from "../../auth/grant_codes.ts";
import { ENDED_MS } from "../../auth/grants.ts";
import type { RecordPlace } from "../../control/api/record_routes.ts";
import type { Sealer } from "../../lib/seal.ts";

/** An embed, as it is named in what is sealed. */
interface EmbedRef {
  readonly id: string;
  readonly sandboxId: string;
  readonly port: number;
}

/** What a token is for: it holds all, since nobody knows the embed once that has ended. */
interface StateRef extends EmbedRef {
  readonly ancestors: readonly string[];
}

interface EmbedCodesOptions {
  readonly codes: Pick<GrantCodes, "issue">;
  /** A sealer for this purpose only. */
  readonly stateSealer: Sealer;
  readonly scheme: "http" | "https";
}

/** The page on preview hosts that becomes the preview, and where it exchanges its code. */
export const EMBED_PATH = "/.porthole/embed";

/** How the preview is. */
export const STATE_PATH = "/.porthole/state";

/** How codes begin. */
export const EMBED_MARK = "pe_";

/** Issues both, and opens tokens. */
export class EmbedCodes {
  readonly #options: EmbedCodesOptions;

  constructor(options: EmbedCodesOptions) {
    this.#options = options;
  }

  /** What whoever makes or renews an embed is told once. */
  async linksTo(
    { id, sandboxId, port, ancestors, authority, expiresAt }:
      & StateRef
      & Pick<RecordPlace, "authority" | "expiresAt">,
  ): Promise<Record<"url" | "stateUrl" | "stateToken", string>> {
    const { scheme, codes, stateSealer } = this.#options;
    const label = sandboxId.toLowerCase();
    const host = { port, label, authoritySuffix: authority };
    const origin = previewOrigin(host, scheme);
    const state = { id, sandboxId, port, ancestors };
    const code = await codes.issue({ id, sandboxId, port });
    return {
      url: `${origin}${EMBED_PATH}#${code}`,
      stateUrl: `${origin}${STATE_PATH}`,
      stateToken: await stateSealer.seal({ state }, expiresAt + ENDED_MS),
    };
  }

  /** What a token is for; undefined if it is none of ours, or over. */
  async openState(token: string): Promise<StateRef | undefined> {
    const payload = await this.#options.stateSealer.open(token);
    return payload?.["state"] as StateRef | undefined; // only linksTo() seals for this purpose
  }
}
