/** Settings of starts by visitors. */
import { z } from "zod";
import { flag, integer, listOf, oneOf, token } from "../../config/formats.ts";
import type { Format } from "../../config/read_settings.ts";
import type { Conflict, SettingsSection } from "../../config/section.ts";

/** A key, and whose sandboxes it starts. */
interface WakeKey {
  /** In lower case. */
  readonly organizationId: string;
  readonly key: string;
}

const ENTRY = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})=(.*)$/i;

/** Of an organization's UUID, an equals sign and an API key of it; no two are for the same organization. */
function wakeKeys(): Format<readonly WakeKey[]> {
  const { allowed, schema } = listOf<WakeKey>({
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
  });
  const isOneEach = (keys: readonly WakeKey[]) =>
    new Set(keys.map(({ organizationId }) => organizationId)).size ===
      keys.length;
  return { allowed, schema: schema.refine(isOneEach) };
}

const ROWS = {
  WAKE: {
    group: "Public addresses",
    purpose:
      "Whether visitors may start a sandbox that does not run: not at all (off), by a button on its page (press), or who has logged in also by opening it in a window of their browser (visit). Daytona decides by the user's own token; with `DAYTONA_API_KEY`, that key starts, and needs `write:sandboxes`.",
    format: oneOf("off", "press", "visit"),
    default: "off",
  },
  WAKE_PER_HOUR: {
    group: "Public addresses",
    purpose:
      "Most starts of one sandbox, and by one user or client, in an hour.",
    format: integer({ min: 1, max: 60 }),
    default: "6",
  },
  WAKE_LINKS: {
    group: "Public addresses",
    purpose:
      "Gives the button of `WAKE` also to who comes by a signed link or a preview token.",
    format: flag(),
    default: "false",
  },
  WAKE_PUBLIC: {
    group: "Public addresses",
    purpose:
      "Gives the button of `WAKE` to everybody, where a sandbox is public: then anybody can have it run.",
    format: flag(),
    default: "false",
  },
  WAKE_API_KEYS: {
    group: "Public addresses",
    purpose:
      "With `PROXY_API_KEY`, the keys by which sandboxes start for those two, with `write:sandboxes`, each for one organization: `UUID=key,…`.",
    format: wakeKeys(),
    whenUnset: "none",
    secret: true,
  },
} as const;

/** Who may start which sandboxes, and how often. */
export interface WakeConfig {
  /** Whether a page may offer to start its sandbox, and a visit may do without. */
  readonly mode: "off" | "press" | "visit";
  readonly perHour: number;
  /** Whether that is also for who has not logged in: by a link or token, or as the sandbox is public. */
  readonly byLink: boolean;
  readonly ofPublic: boolean;
  /** Whose keys start for those; where the Daytona is somebody else's, the gateway's own does. */
  readonly keys: readonly WakeKey[];
}

/** These settings. */
export const wakeSettings: SettingsSection<typeof ROWS, WakeConfig> = {
  rows: ROWS,
  conflicts(values, { DAYTONA_API_KEY }) {
    const conflicts: Conflict<keyof typeof ROWS>[] = [];
    const hasKeys = values.WAKE_API_KEYS.length > 0;
    const isHosted = DAYTONA_API_KEY !== undefined;
    if (hasKeys && isHosted) {
      const allowed =
        "not set while DAYTONA_API_KEY is: that key starts sandboxes then";
      conflicts.push({ name: "WAKE_API_KEYS", given: "set", allowed });
    }
    for (const name of ["WAKE_LINKS", "WAKE_PUBLIC"] as const) {
      if (!values[name] || hasKeys || isHosted) continue;
      const allowed = "false while WAKE_API_KEYS is not set";
      conflicts.push({ name, given: '"true"', allowed });
    }
    return conflicts;
  },
  assemble: (values) => ({
    mode: values.WAKE,
    perHour: values.WAKE_PER_HOUR,
    byLink: values.WAKE_LINKS,
    ofPublic: values.WAKE_PUBLIC,
    keys: values.WAKE_API_KEYS,
  }),
};
