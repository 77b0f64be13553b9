/** What this feature brings to the tables of all. */
import { AT_REST, REFUSED, THROTTLED } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    start_expired: { ...REFUSED, status: 400 },
    start_not_allowed: { ...REFUSED, status: 403, help: "dashboard" },
    start_throttled: THROTTLED,
    start_refused: { ...AT_REST, fault: "operator" },
  },
  texts,
  notes: {
    sandbox_stopped: "[`WAKE`](features/wake.md) gives the page a button.",
    sandbox_recoverable: "With `WAKE`, members get a button.",
    start_not_allowed:
      "Daytona does not let them, or there is no credential to [start with](features/wake.md): `DAYTONA_API_KEY` and `WAKE_API_KEYS` need `write:sandboxes`.",
    start_throttled:
      "`WAKE_PER_HOUR`, or Daytona's limit of an organization's starts.",
    start_refused: "Members read Daytona's words.",
  },
  metrics: {
    starts: {
      name: "porthole_sandbox_starts_total",
      type: "counter",
      labels: {
        by: ["login", "bearer", "link", "public"],
        outcome: [
          "started",
          "under_way",
          "not_allowed",
          "refused",
          "throttled",
          "failed",
        ],
      },
      help:
        "Starts that visitors asked for, by what had admitted them and what came of it.",
    },
  },
} as const satisfies ModuleFacts;
