/** What this feature brings to the tables of all. */
import { INVALID, REFUSED, THROTTLED } from "../../facts/error_facts.ts";
import type { ModuleFacts } from "../../facts/module_facts.ts";
import texts from "./error_texts.json" with { type: "json" };

export const facts = {
  errors: {
    share_invalid: INVALID,
    passcode_required: { ...REFUSED, status: 401, credential: "missing" },
    passcode_wrong: INVALID,
    share_for_others: { ...REFUSED, status: 403 },
    share_used_up: { ...REFUSED, status: 410 },
    share_shut: { ...REFUSED, status: 410 },
    passcode_tries: THROTTLED,
  },
  texts,
  notes: {
    share_for_others:
      "A login counts by `email` and `email_verified` in the provider's ID token or, with `LOGIN_ALLOW`, its UserInfo.",
    passcode_tries:
      "Ten of a network, or fifty of all, in 15 minutes; those who have opened that share wait for their own only.",
  },
  guestPages: { s: "[A-Za-z0-9_-]{22}" },
  vias: ["share"],
} as const satisfies ModuleFacts;
