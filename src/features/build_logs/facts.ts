/** What this feature brings to the tables of all. */
import { REFUSED } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    build_log_not_found: { ...REFUSED, status: 404 },
  },
  texts,
  routes: ["build_logs"],
} as const satisfies ModuleFacts;
