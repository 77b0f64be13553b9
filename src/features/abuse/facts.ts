/** What this feature brings to the tables of all. */
import { REFUSED, THROTTLED, UNAVAILABLE } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    too_many_reports: { ...THROTTLED, retryAfterSec: 60 },
    preview_blocked: { ...REFUSED, status: 451 },
    report_unavailable: { ...UNAVAILABLE, passes: "maybe" },
  },
  texts,
  notes: {
    too_many_reports: "Five an hour from one address, sixty a minute from all.",
    preview_blocked: "[The block list](features/abuse.md#the-block-list).",
    report_unavailable:
      "`REPORT_WEBHOOK_URL` did not answer 2xx within 10 s; the log has the reason.",
  },
} as const satisfies ModuleFacts;
