/** Settings of requests that wait. */
import { seconds } from "../../config/formats.ts";
import type { Setting } from "../../config/read_settings.ts";
import type { SettingsSection } from "../../config/section.ts";

/** Clients and what is between them and us seldom wait longer for an answer. */
const MAX_HOLD_SEC = 300;

const ROWS = {
  WAKE_HOLD_SEC: {
    group: "Public addresses",
    purpose:
      "How long a program's request waits for its sandbox while that starts, before it is answered 503; 0 for not at all. Only requests that may be sent again: GET, HEAD, OPTIONS, PUT and DELETE without a body.",
    format: seconds({ min: 0, max: MAX_HOLD_SEC }),
    default: "0",
  },
  PORT_HOLD_SEC: {
    group: "Public addresses",
    purpose:
      "The same for a port on which nothing listens yet, before it is answered 502.",
    format: seconds({ min: 0, max: MAX_HOLD_SEC }),
    default: "0",
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** How long a program's request waits for a start, and for an app, ms; 0 for not at all. */
export const holdsSettings: SettingsSection<
  typeof ROWS,
  { readonly limitsMs: { readonly start: number; readonly port: number } }
> = {
  rows: ROWS,
  assemble: ({ WAKE_HOLD_SEC: start, PORT_HOLD_SEC: port }) => ({
    limitsMs: { start: 1000 * start, port: 1000 * port },
  }),
};
