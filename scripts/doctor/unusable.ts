/** A configuration with which the gateway would not start. */
import type { SettingProblem } from "../../src/config/read_settings.ts";
import { CONFIGURATION, type Finding, findingsOf } from "./finding.ts";

/** One finding for each setting that keeps the gateway from starting, and one for all checks that are skipped. */
export function unusable(problems: readonly SettingProblem[]): Finding[] {
  return [
    ...problems.map(({ name, given, allowed, purpose }) =>
      findingsOf(CONFIGURATION).failed(
        `${name} ${given === undefined ? "is not set" : `is ${given}`}.`,
        `${purpose} Allowed: ${allowed}.`,
      )
    ),
    findingsOf("all else").skipped(
      "Nothing else was checked: the gateway would not start.",
    ),
  ];
}
