/** Generated from src/features/NAME/facts.ts (`deno task gen`): edit those files, not this one. */
import { facts as abuse } from "../src/features/abuse/facts.ts";
import { facts as access_page } from "../src/features/access_page/facts.ts";
import { facts as build_logs } from "../src/features/build_logs/facts.ts";
import { facts as embeds } from "../src/features/embeds/facts.ts";
import { facts as handover } from "../src/features/handover/facts.ts";
import { facts as identity } from "../src/features/identity/facts.ts";
import { facts as inspect } from "../src/features/inspect/facts.ts";
import { facts as machine_tokens } from "../src/features/machine_tokens/facts.ts";
import { facts as names } from "../src/features/names/facts.ts";
import { facts as preview_state } from "../src/features/preview_state/facts.ts";
import { facts as shares } from "../src/features/shares/facts.ts";
import { facts as trusted_issuers } from "../src/features/trusted_issuers/facts.ts";
import { facts as wake } from "../src/features/wake/facts.ts";
import { facts as warning } from "../src/features/warning/facts.ts";
import { facts as webhooks } from "../src/features/webhooks/facts.ts";

export const FEATURE_ERRORS = {
  ...abuse.errors,
  ...build_logs.errors,
  ...names.errors,
  ...shares.errors,
  ...trusted_issuers.errors,
  ...wake.errors,
  ...webhooks.errors,
} as const;

export const FEATURE_TEXTS = {
  ...abuse.texts,
  ...build_logs.texts,
  ...names.texts,
  ...shares.texts,
  ...trusted_issuers.texts,
  ...wake.texts,
  ...webhooks.texts,
} as const;

export const FEATURE_NOTES = {
  ...abuse.notes,
  ...names.notes,
  ...shares.notes,
  ...wake.notes,
  ...webhooks.notes,
} as const;

export const FEATURE_COOKIES = [
  ...handover.cookies,
  ...warning.cookies,
] as const;

export const FEATURE_MEMBER_PAGES = [
  ...access_page.memberPages,
  ...inspect.memberPages,
] as const;

export const FEATURE_GUEST_PAGES = { ...shares.guestPages } as const;

export const FEATURE_VIAS = [
  ...embeds.vias,
  ...machine_tokens.vias,
  ...shares.vias,
  ...trusted_issuers.vias,
] as const;

export const FEATURE_ROUTES = [
  ...build_logs.routes,
  ...embeds.routes,
  ...inspect.routes,
  ...preview_state.routes,
] as const;

export const FEATURE_METRICS = { ...names.metrics, ...wake.metrics } as const;

export const FEATURE_CACHE_KINDS = [...warning.cacheKinds] as const;

export const FEATURE_REQUEST_HEADERS = [...identity.requestHeaders] as const;

export const FEATURE_RESPONSE_HEADERS = [...warning.responseHeaders] as const;

export const FEATURE_RETIRED = {
  ...names.retired,
  ...preview_state.retired,
} as const;
