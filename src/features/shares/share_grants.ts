/** What the gate asks about shares: each opens its port, as long as there is its record. */
import type { Grant, GrantSource } from "../../auth/grants.ts";
import { keptIn } from "../../control/api/record_routes.ts";
import type { Records } from "../../records/records.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { ShareCodes } from "./share_codes.ts";
import { type KeptShare, SHARES } from "./share_kind.ts";

/** The source of their grants. */
export function shareGrants(
  codes: Pick<ShareCodes, "isCode" | "open" | "use">,
  records: Pick<Records, "get">,
): GrantSource {
  async function grantOf(
    { id, subject }: Pick<Grant, "id" | "subject">,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const found = await records.get(SHARES, id, () => budget.spend("store"));
    if (found === undefined) return undefined;
    const { sandboxId, expiresAt } = found.record;
    return {
      via: "share",
      id,
      sandboxId,
      ports: [keptIn<KeptShare>(found.record).own.port],
      subject,
      expiresAt: expiresAt ?? Infinity,
    };
  }

  return {
    via: ["share"],
    recognizes: (secret) => codes.isCode(secret),

    /** See {@linkcode GrantSource.open}: by the address that the exchange has told only, once. */
    async open({ secret, place }, { sandboxId, port }, budget) {
      const code = place === "query" ? await codes.open(secret) : undefined;
      if (code?.sandboxId === sandboxId && code.port === port) {
        // In this order: elsewhere, nobody uses a code up.
        const grant = await grantOf(code, budget);
        if (grant !== undefined && await codes.use(code)) return grant;
      }
      budget.spend("store"); // whatever it has cost
      return undefined;
    },

    reopen: (session, budget) => grantOf(session, budget),
  };
}
