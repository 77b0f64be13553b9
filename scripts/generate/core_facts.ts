/** What the core's own tables have, so that no feature brings it a second time. */
import { CORE_COOKIES } from "../../src/auth/own_cookies.ts";
import { CORE_RETIRED } from "../../src/config/retired.ts";
import { CORE_ERRORS } from "../../src/error_codes.ts";
import type { ModuleFacts } from "../../src/facts/module_facts.ts";
import {
  CORE_CACHE_KINDS,
  CORE_METRICS,
  CORE_ROUTES,
  CORE_VIAS,
} from "../../src/observability/metrics/definitions.ts";

export const CORE_FACTS: ModuleFacts = {
  errors: CORE_ERRORS,
  cookies: CORE_COOKIES,
  vias: CORE_VIAS,
  routes: CORE_ROUTES,
  metrics: CORE_METRICS,
  cacheKinds: CORE_CACHE_KINDS,
  retired: CORE_RETIRED,
};
