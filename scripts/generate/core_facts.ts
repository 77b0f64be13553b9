/** What the core's own tables have, so that no feature brings it a second time. */
import { CORE_COOKIES } from "../../src/auth/own_cookies.ts";
import { CORE_ERRORS } from "../../src/error_codes.ts";
import type { ModuleFacts } from "../../src/facts/module_facts.ts";

export const CORE_FACTS: ModuleFacts = {
  errors: CORE_ERRORS,
  cookies: CORE_COOKIES,
};
