/** What this feature brings to the tables of all. */
import type { ModuleFacts } from "../../facts/module_facts.ts";

const WAITING =
  "programs wait by GET /api/v1/previews/SANDBOX/PORT?wait=60 on the base domain";

export const facts = {
  routes: ["preview_state"],
  retired: {
    WAKE_HOLD_SEC: WAITING,
    PORT_HOLD_SEC: WAITING,
  },
} as const satisfies ModuleFacts;
