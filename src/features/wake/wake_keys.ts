/** The format of an organization's key for starting its sandboxes. */
import { z } from "zod";
import { token } from "../../config/formats.ts";
import type { Format } from "../../config/read_settings.ts";

/** A key, and whose sandboxes it starts. */
export interface WakeKey {
  /** In lower case. */
  readonly organizationId: string;
  readonly key: string;
}

const ENTRY = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})=(.*)$/i;

/** One part of `WAKE_API_KEYS`: an organization's UUID, an equals sign, and an API key of it. */
export function wakeKey(): Format<WakeKey> {
  return {
    allowed:
      "the UUID of an organization, = and an API key of it, each organization once",
    schema: z.string().transform((text, context): WakeKey => {
      const [, id = "", key = ""] = ENTRY.exec(text) ?? [];
      if (token().schema.safeParse(key).success) {
        return { organizationId: id.toLowerCase(), key };
      }
      context.addIssue("neither an organization nor a key of it");
      return z.NEVER;
    }),
  };
}

/** Any number of them, of which no two are for the same organization. */
export function onePerOrganization(
  list: Format<readonly WakeKey[]>,
): Format<readonly WakeKey[]> {
  const { allowed, schema } = list;
  return {
    allowed,
    schema: schema.refine((keys) =>
      new Set(keys.map(({ organizationId }) => organizationId)).size ===
        keys.length
    ),
  };
}
