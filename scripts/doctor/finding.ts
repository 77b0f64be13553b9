/** What a check has to say. */

/** `skipped` is no verdict: the check does not apply here, or could not tell. */
export type State = "ok" | "warning" | "failed" | "skipped";

/** One row of the doctor's table. */
export interface Finding {
  /** The check's name; several findings may have the same. */
  readonly name: string;
  readonly state: State;
  /** One sentence: what was found. */
  readonly finding: string;
  /** One sentence: what to do about it. */
  readonly hint?: string;
}

/** Makes the findings of one check. */
export interface Findings {
  ok(finding: string): Finding;
  warning(finding: string, hint?: string): Finding;
  failed(finding: string, hint?: string): Finding;
  skipped(finding: string, hint?: string): Finding;
}

/** The findings of the check with that name. */
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

/**
 * The exit code that findings ask for: 0 where nothing failed, 2 where the configuration could not be read, 1 otherwise.
 */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const failed = findings.filter(({ state }) => state === "failed");
  if (failed.some(({ name }) => name === CONFIGURATION)) return 2;
  return failed.length > 0 ? 1 : 0;
}

/** The check that all others depend on. */
export const CONFIGURATION = "configuration";
