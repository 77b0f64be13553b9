/** What this feature brings to the tables of all. */
import { REFUSED, THROTTLED } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    name_taken: { ...REFUSED, status: 409 },
    names_throttled: { ...THROTTLED, passes: "by_itself" },
  },
  texts,
  notes: {
    names_throttled:
      "60 changes in a minute of all members of an organization, whoever made them.",
  },
  metrics: {
    names: {
      name: "porthole_names",
      type: "gauge",
      labels: { state: ["active", "pending", "suspended"] },
      isAbsentUntilSet: true,
      help:
        "Names of ports of sandboxes, by whether they lead there; absent without NAMES.",
    },
  },
  retired: {
    NAMES_BY_LABEL:
      "PUT /api/v1/names/HOST with NAMES=members, by whoever creates the sandbox, or NAMES_FILE; no label gives a name any more",
  },
} as const satisfies ModuleFacts;
