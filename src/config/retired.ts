/** Variables that earlier versions had: who sets one has to learn that nobody reads it any more. */
import type { Environment } from "./read_settings.ts";

/** A variable of an earlier version that is set, and what takes its place. */
type RetiredVariable = Readonly<Record<"name" | "instead", string>>;

const WAITING =
  "programs wait by GET /api/v1/previews/SANDBOX/PORT?wait=60 on the base domain";

const RETIRED: readonly RetiredVariable[] = [
  {
    name: "WORKERS",
    instead:
      "several processes with REUSE_PORT=true, each with a systemd unit and a METRICS_PORT of its own",
  },
  { name: "WAKE_HOLD_SEC", instead: WAITING },
  { name: "PORT_HOLD_SEC", instead: WAITING },
];

export function findRetired(env: Environment): readonly RetiredVariable[] {
  return RETIRED.filter(({ name }) => Boolean(env[name]?.trim()));
}

/** Says what takes the place of each, in one line for each. */
export function formatRetired(retired: readonly RetiredVariable[]): string {
  return retired.map(({ name, instead }) =>
    `${name} has no effect any more. In its place: ${instead}.`
  ).join("\n");
}
