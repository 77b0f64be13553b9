/** Who may start which sandboxes, and how often (`WAKE`). */
import {
  flag,
  integer,
  listOf,
  oneOf,
  parsedBy,
  token,
} from "../../config/formats.ts";
import { type Format, inGroup, setting } from "../../config/read_settings.ts";
import { settingsSection } from "../../config/section.ts";

interface WakeKey {
  /** In lower case. */
  readonly organizationId: string;
  readonly key: string;
}

const ENTRY = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})=(.*)$/i;

/** Of an organization's UUID, an equals sign and an API key of it; no two are for the same organization. */
function wakeKeys(): Format<readonly WakeKey[]> {
  const { allowed, schema } = listOf(parsedBy<WakeKey>(
    "the UUID of an organization, = and an API key of it, each organization once",
    (text) => {
      const [, id = "", key = ""] = ENTRY.exec(text) ?? [];
      return token.schema.safeParse(key).success
        ? { organizationId: id.toLowerCase(), key }
        : undefined;
    },
  ));
  const isOneEach = (keys: readonly WakeKey[]) =>
    new Set(keys.map(({ organizationId }) => organizationId)).size ===
      keys.length;
  return { allowed, schema: schema.refine(isOneEach) };
}

export const wakeSettings = settingsSection({
  rows: inGroup("Public addresses", {
    WAKE: setting(
      "Whether visitors may start a sandbox: no (off), by a button on its page (press), or who has logged in also by opening it (visit).",
      { format: oneOf("off", "press", "visit"), default: "off" },
    ),
    WAKE_PER_HOUR: setting(
      "Most starts of one sandbox, and by one user or client, in an hour.",
      { format: integer({ min: 1, max: 60 }), default: "6" },
    ),
    WAKE_LINKS: setting(
      "Gives `WAKE`'s button also to who comes by a link or preview token.",
      { format: flag, default: "false" },
    ),
    WAKE_PUBLIC: setting(
      "Gives `WAKE`'s button to everybody, where a sandbox is public.",
      { format: flag, default: "false" },
    ),
    WAKE_API_KEYS: setting(
      "With `PROXY_API_KEY`, the keys by which sandboxes start for those two, with `write:sandboxes`: `UUID=key,…`.",
      { format: wakeKeys(), whenUnset: "none", secret: true },
    ),
  }),
  conflicts(values, { DAYTONA_API_KEY }) {
    const hasKeys = values.WAKE_API_KEYS.length > 0;
    const isHosted = DAYTONA_API_KEY !== undefined;
    if (hasKeys && isHosted) {
      const allowed =
        "not set while DAYTONA_API_KEY is: that key starts sandboxes then";
      return [{ name: "WAKE_API_KEYS", given: "set", allowed }];
    }
    if (hasKeys || isHosted) return [];
    const allowed = "false while WAKE_API_KEYS is not set";
    return (["WAKE_LINKS", "WAKE_PUBLIC"] as const)
      .filter((name) => values[name])
      .map((name) => ({ name, given: '"true"', allowed }));
  },
  assemble: (values) => ({
    mode: values.WAKE,
    perHour: values.WAKE_PER_HOUR,
    byLink: values.WAKE_LINKS,
    ofPublic: values.WAKE_PUBLIC,
    keys: values.WAKE_API_KEYS,
  }),
});
