/** Generated from src/features/NAME/facts.ts (`deno task gen`): edit those files, not this one. */
import { facts as abuse } from "../src/features/abuse/facts.ts";
import { facts as names } from "../src/features/names/facts.ts";
import { facts as shares } from "../src/features/shares/facts.ts";
import { facts as trusted_issuers } from "../src/features/trusted_issuers/facts.ts";
import { facts as wake } from "../src/features/wake/facts.ts";
import { facts as webhooks } from "../src/features/webhooks/facts.ts";

export const FEATURE_ERRORS = {
  ...abuse.errors,
  ...names.errors,
  ...shares.errors,
  ...trusted_issuers.errors,
  ...wake.errors,
  ...webhooks.errors,
} as const;

export const FEATURE_TEXTS = {
  ...abuse.texts,
  ...names.texts,
  ...shares.texts,
  ...trusted_issuers.texts,
  ...wake.texts,
  ...webhooks.texts,
} as const;

export const FEATURE_NOTES = {
  ...abuse.notes,
  ...shares.notes,
  ...wake.notes,
  ...webhooks.notes,
} as const;
