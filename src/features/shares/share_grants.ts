/** What the gate asks about shares: each opens its port, as long as there is its record. */
import type { GrantCodes } from "../../auth/grant_codes.ts";
import type { GrantSource } from "../../auth/grants.ts";
import { keptIn } from "../../control/api/record_routes.ts";
import type { Records } from "../../records/records.ts";
import { type KeptShare, SHARES } from "./share_kind.ts";

/** The source of their grants: a code is for the address that a press has led to. */
export function shareGrants(
  codes: Pick<GrantCodes, "sourceOf">,
  records: Pick<Records, "get">,
): GrantSource {
  return codes.sourceOf("share", "query", async ({ id, subject }, budget) => {
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
  });
}
