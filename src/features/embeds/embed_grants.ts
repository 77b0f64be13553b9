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
  return codes.sourceOf({
    kind: EMBEDS,
    via: "embed",
    place: "embed",
    records,
    termsOf(record) {
      const { port, terms: frame } = keptIn<KeptEmbed>(record).own;
      return { ports: [port], frame };
    },
  });
}
