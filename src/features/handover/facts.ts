/** What this feature brings to the tables of all. */
import type { ModuleFacts } from "../../facts/module_facts.ts";

export const facts = {
  // Identifies a browser, on one preview host, to the login that it was sent to; and counts, on the base host, how often
  // its user's session was handed over to the same preview host.
  cookies: ["handover", "handovers"],
} as const satisfies ModuleFacts;
