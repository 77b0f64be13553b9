/** The findings of checks. */

/** `skipped` is not a verdict: the check does not apply, or was inconclusive. */
export type State = "ok" | "warning" | "failed" | "skipped";

/** A row of the doctor's table. */
export interface Finding {
  /** The check's name, which several findings may share. */
  readonly name: string;
  readonly state: State;
  /** One sentence: what was found. */
  readonly finding: string;
  /** One sentence: what to do about it. */
  readonly hint?: string;
}

/** Creates the findings of one check. */
export interface Findings {
  ok(finding: string): Finding;
  warning(finding: string, hint?: string): Finding;
  failed(finding: string, hint?: string): Finding;
  skipped(finding: string, hint?: string): Finding;
}

/** Creates findings of the check with that name. */
export function findingsOf(name: string): Findings {
  function as(state: State) {
    return (finding: string, hint?: string): Finding =>
      hint === undefined
        ? { name, state, finding }
        : { name, state, finding, hint };
  }
  return {
    ok: as("ok"),
    warning: as("warning"),
    failed: as("failed"),
    skipped: as("skipped"),
  };
}

/** The exit code: 0 if nothing failed, 2 if the configuration is invalid, 1 otherwise. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const failed = findings.filter(({ state }) => state === "failed");
  if (failed.some(({ name }) => name === CONFIGURATION)) return 2;
  return failed.length > 0 ? 1 : 0;
}

/** The check that all others depend on. */
export const CONFIGURATION = "configuration";
