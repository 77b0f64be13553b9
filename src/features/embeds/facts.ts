/** What this feature brings to the tables of all. */
import type { ModuleFacts } from "../../facts/module_facts.ts";

export const facts = {
  vias: ["embed"],
  routes: ["embed"],
} as const satisfies ModuleFacts;
