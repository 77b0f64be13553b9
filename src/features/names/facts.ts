/** What this feature brings to the tables of all. */
import { REFUSED } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    name_taken: { ...REFUSED, status: 409 },
  },
  texts,
} as const satisfies ModuleFacts;
