/**
 * Codes by which a record's grant is handed over to its preview host: sealed, for a minute, and once. Whoever is told one
 * gets a session for it there, by the way that the kind has.
 */
import type { Sealer } from "../lib/seal.ts";
import type { Records } from "../records/records.ts";
import type { RecordForm } from "../records/stored_record.ts";
import type { Budget } from "../resolver/lookup_cache.ts";
import type { Grant, GrantSource, PresentedGrant } from "./grants.ts";
import type { UsedCodes } from "./used_codes.ts";

/** A grant for one port, as a code names it. */
interface GrantRef
  extends Pick<Grant, "id" | "sandboxId" | "subject" | "user"> {
  readonly port: number;
}

type Code = GrantRef & { readonly nonce: string; readonly expiresAt: number };

interface GrantCodesOptions {
  /** Tells them from other secrets: how they begin. */
  readonly mark: string;
  /** A sealer for this purpose only. */
  readonly sealer: Sealer;
  readonly usedCodes: Pick<UsedCodes, "use">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The records of a kind, and what their grants are. */
interface GrantRecords<D> {
  readonly form: RecordForm<D>;
  readonly via: Grant["via"];
  /** The way by which a code counts. */
  readonly place: PresentedGrant["place"];
  readonly records: Pick<Records, "get">;
  readonly termsOf: (data: D) => Pick<Grant, "ports" | "frame" | "isLink">;
}

/** Time to the preview host, ms. */
const CODE_TTL_MS = 60_000;

/** Issues codes of a kind, and opens them. */
export class GrantCodes {
  readonly #options: GrantCodesOptions;

  constructor(options: GrantCodesOptions) {
    this.#options = options;
  }

  /** A new code for a grant. */
  async issue(grant: GrantRef): Promise<string> {
    const { mark, sealer, now } = this.#options;
    const expiresAt = now() + CODE_TTL_MS;
    const code: Code = { ...grant, nonce: crypto.randomUUID(), expiresAt };
    return mark + await sealer.seal({ code }, expiresAt);
  }

  /** The source of their grants, each of which is what its record says now. */
  sourceOf<D>(
    { form, via, place, records, termsOf }: GrantRecords<D>,
  ): GrantSource {
    const { mark, usedCodes } = this.#options;

    async function reopen(
      { id, subject, user }: Pick<Grant, "id" | "subject" | "user">,
      budget: Budget,
    ): Promise<Grant | undefined> {
      const found = await records.get(form, id, () => budget.spend("store"));
      if (found === undefined) return undefined;
      const { sandboxId, expiresAt: end, data } = found.record;
      const expiresAt = end ?? Infinity;
      const terms = termsOf(data);
      return { via, id, sandboxId, subject, user, expiresAt, ...terms };
    }

    return {
      via: [via],
      // As all that is sealed begins: an app's own tokens may have the mark.
      recognizes: (secret) => secret.startsWith(`${mark}eyJ`),
      open: async (presented, { sandboxId, port }, budget) => {
        const code = presented.place === place
          ? await this.#open(presented.secret)
          : undefined;
        if (code?.sandboxId === sandboxId && code.port === port) {
          // In this order: elsewhere, nobody uses a code up.
          const grant = await reopen(code, budget);
          const isGood = grant !== undefined &&
            await usedCodes.use(code.nonce, code.expiresAt);
          if (isGood) return grant;
        }
        budget.spend("store"); // whatever it has cost
        return undefined;
      },
      reopen,
    };
  }

  async #open(text: string): Promise<Code | undefined> {
    const { mark, sealer } = this.#options;
    const payload = await sealer.open(text.slice(mark.length));
    return payload?.["code"] as Code | undefined; // only issue() seals for this purpose
  }
}
