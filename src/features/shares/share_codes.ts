/** By what a share is handed over from the base host to the preview host: a sealed code in the query, once, for a minute. */
import { GRANT_PARAMETER } from "../../auth/preview_token.ts";
import type { UsedCodes } from "../../auth/used_codes.ts";
import { withParameter } from "../../http/query_parameter.ts";
import type { Sealer } from "../../lib/seal.ts";

/** A code, opened. */
interface ShareCode {
  /** The share's. */
  readonly id: string;
  readonly sandboxId: string;
  readonly port: number;
  /** What the log calls who has opened it, if it asks that. */
  readonly subject?: string | undefined;
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface ShareCodesOptions {
  /** A sealer for this purpose only. */
  readonly sealer: Sealer;
  readonly usedCodes: Pick<UsedCodes, "use">;
  readonly now: () => number;
}

/** Tells codes from other secrets. */
const MARK = "ps_";

const CODE_TTL_MS = 60_000;

/** Issues them, and opens them. */
export class ShareCodes {
  readonly #options: ShareCodesOptions;

  constructor(options: ShareCodesOptions) {
    this.#options = options;
  }

  /** True if a text looks like a code. */
  isCode(text: string): boolean {
    return text.startsWith(MARK);
  }

  /** A URL, which may have a fragment, with a code. */
  async addTo(
    url: string,
    share: Omit<ShareCode, "nonce" | "expiresAt">,
  ): Promise<string> {
    const { sealer, now } = this.#options;
    const expiresAt = now() + CODE_TTL_MS;
    const code = { ...share, nonce: crypto.randomUUID(), expiresAt };
    const sealed = await sealer.seal({ code }, expiresAt);
    const [target = "", ...fragment] = url.split(/(?=#)/);
    return withParameter(target, GRANT_PARAMETER, MARK + sealed) +
      fragment.join("");
  }

  /** A code by its text; undefined if it is none of ours, or over. */
  async open(text: string): Promise<ShareCode | undefined> {
    if (!this.isCode(text)) return undefined;
    const payload = await this.#options.sealer.open(text.slice(MARK.length));
    return payload?.["code"] as ShareCode | undefined; // only addTo() seals for this purpose
  }

  /** True the first time. @throws {GatewayError} `session_unavailable` if nobody knows */
  use({ nonce, expiresAt }: ShareCode): Promise<boolean> {
    return this.#options.usedCodes.use(nonce, expiresAt);
  }
}
