/** What the gate asks about embeds: each lets frames show its port as its record says, as long as there is that record. */
import type { GrantCodes } from "../../auth/grant_codes.ts";
import type { GrantSource } from "../../auth/grants.ts";
import { keptIn } from "../../control/api/record_routes.ts";
import type { Records } from "../../records/records.ts";
import { EMBEDS, type KeptEmbed } from "./embed_kind.ts";

/** The source of their grants: a code is for the page that makes a frame of it. */
export function embedGrants(
  codes: Pick<GrantCodes, "sourceOf">,
  records: Pick<Records, "get">,
): GrantSource {
  return codes.sourceOf("embed", "embed", async ({ id }, budget) => {
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
  });
}
