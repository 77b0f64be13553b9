/** What the gate asks about embeds: each lets frames show its port as its record says, as long as there is that record. */
import type { Grant, GrantSource } from "../../auth/grants.ts";
import { keptIn } from "../../control/api/record_routes.ts";
import type { Records } from "../../records/records.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { EmbedCodes } from "./embed_codes.ts";
import { EMBEDS, type KeptEmbed } from "./embed_kind.ts";

/** The source of their grants. */
export function embedGrants(
  codes: Pick<EmbedCodes, "isCode" | "open" | "use">,
  records: Pick<Records, "get">,
): GrantSource {
  async function grantOf(
    id: string,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const found = await records.get(EMBEDS, id, () => budget.spend("store"));
    if (found === undefined) return undefined;
    const { sandboxId, expiresAt } = found.record;
    const { port, terms: frame } = keptIn<KeptEmbed>(found.record).own;
    return {
      via: "embed",
      id,
      sandboxId,
      ports: [port],
      frame,
      expiresAt: expiresAt ?? Infinity,
    };
  }

  return {
    via: ["embed"],
    recognizes: (secret) => codes.isCode(secret),

    /** See {@linkcode GrantSource.open}: by the page that makes a frame of it only, once. */
    async open({ secret, place }, { sandboxId, port }, budget) {
      const code = place === "embed" ? await codes.open(secret) : undefined;
      if (code?.sandboxId === sandboxId && code.port === port) {
        // In this order: elsewhere, nobody uses a code up.
        const grant = await grantOf(code.id, budget);
        if (grant !== undefined && await codes.use(code)) return grant;
      }
      budget.spend("store"); // whatever it has cost
      return undefined;
    },

    reopen: ({ id }, budget) => grantOf(id, budget),
  };
}
