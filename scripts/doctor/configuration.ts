import type { SettingProblem } from "../../src/lib/settings.ts";
import { CONFIGURATION, type Finding, findingsOf } from "./finding.ts";

const { failed } = findingsOf(CONFIGURATION);

/** One finding for every setting that keeps the gateway from starting, and one for all that could not be looked at. */
export function unusable(problems: readonly SettingProblem[]): Finding[] {
  return [
    ...problems.map(({ name, given, allowed, purpose }) =>
      failed(
        `${name} ${given === undefined ? "is not set" : `is ${given}`}.`,
        `${purpose} Allowed: ${allowed}.`,
      )
    ),
    findingsOf("all else").skipped(
      "Nothing else was looked at: the gateway would not start.",
    ),
  ];
}
