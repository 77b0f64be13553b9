/** What this feature brings to the tables of all. */
import { UNAVAILABLE } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    issuer_unavailable: UNAVAILABLE,
  },
  texts,
  vias: ["ticket"],
} as const satisfies ModuleFacts;
