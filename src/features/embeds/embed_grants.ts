/** What the gate asks about embeds: each lets frames show its port as its record says, as long as there is that record. */
import type {
  Grant,
  GrantRequest,
  GrantSession,
  GrantSource,
  PresentedGrant,
} from "../../auth/grants.ts";
import { keptIn } from "../../control/api/record_routes.ts";
import type { Records } from "../../records/records.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { EmbedCodes } from "./embed_codes.ts";
import { EMBEDS, type KeptEmbed } from "./embed_kind.ts";

/** The source of their grants. */
export class EmbedGrants implements GrantSource {
  readonly via = ["embed"] as const;
  readonly #codes: Pick<EmbedCodes, "isCode" | "open" | "use">;
  readonly #records: Pick<Records, "get">;

  constructor(
    codes: Pick<EmbedCodes, "isCode" | "open" | "use">,
    records: Pick<Records, "get">,
  ) {
    this.#codes = codes;
    this.#records = records;
  }

  recognizes(secret: string): boolean {
    return this.#codes.isCode(secret);
  }

  /** See {@linkcode GrantSource.open}: by the page that makes a frame of it only, once. */
  async open(
    { secret, place }: PresentedGrant,
    { sandboxId, port }: GrantRequest,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const code = place === "embed" ? await this.#codes.open(secret) : undefined;
    if (code?.sandboxId === sandboxId && code.port === port) {
      // In this order: elsewhere, nobody uses a code up.
      const grant = await this.#grantOf(code.id, budget);
      if (grant !== undefined && await this.#codes.use(code)) return grant;
    }
    budget.spend("store"); // whatever it has cost
    return undefined;
  }

  async reopen(
    { id }: GrantSession,
    budget: Budget,
  ): Promise<Grant | undefined> {
    return await this.#grantOf(id, budget);
  }

  async #grantOf(id: string, budget: Budget): Promise<Grant | undefined> {
    const found = await this.#records
      .get(EMBEDS, id, () => budget.spend("store"));
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
}
