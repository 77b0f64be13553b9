/** What this feature brings to the tables of all. */
import { REFUSED } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    webhook_refused: { ...REFUSED, status: 403 },
  },
  texts,
  notes: {
    webhook_refused:
      "[Webhooks](features/webhooks.md); the log has the reason.",
  },
} as const satisfies ModuleFacts;
