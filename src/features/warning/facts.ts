/** What this feature brings to the tables of all. */
import type { ModuleFacts } from "../../facts/module_facts.ts";

export const facts = {
  // Marks that the visitor trusts one preview host.
  cookies: ["warning-accepted"],
  cacheKinds: ["preview-warning"],
  responseHeaders: ["x-porthole-warning"],
} as const satisfies ModuleFacts;
