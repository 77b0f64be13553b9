/** Accounts of outcomes: how every operation ended, and which endings nothing explains. */

/** A fault that is injected for a while. */
export type Trouble =
  | "api_unavailable"
  | "api_refusing"
  | "api_silent"
  | "runner_down";

/** How an operation may end. */
export interface Expectation {
  readonly name: string;
  /** Outcomes that are right at any time. */
  readonly expected: readonly string[];
  /** Further outcomes that are right for operations that overlap with trouble. */
  readonly during?: Readonly<Partial<Record<Trouble, readonly string[]>>>;
}

/** One finished operation; times in ms, on one clock for all. */
export interface Entry {
  readonly outcome: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** An outcome that no trouble explains. */
export interface Unexplained extends Entry {
  readonly name: string;
}

/** How all operations ended. */
export interface OutcomeSummary {
  readonly total: number;
  /** How often each outcome occurred, by operation. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** The first {@linkcode MAX_DETAILS} unexplained outcomes. */
  readonly unexplained: readonly Unexplained[];
  readonly unexplainedCount: number;
  /** How often each trouble was injected. */
  readonly troubles: ReadonlyMap<Trouble, number>;
}

/** A period of trouble; `until` is infinite while it lasts. */
export interface Period {
  readonly trouble: Trouble;
  readonly from: number;
  readonly until: number;
}

/** Records outcomes and periods of trouble. */
export interface Accounts {
  record(expectation: Expectation, entry: Entry): void;
  /** Records that trouble begins; the function returned records its end. */
  begin(trouble: Trouble, at: number): (at: number) => void;
  /** All periods of trouble, in the order in which they began. */
  periods(): readonly Period[];
  summary(): OutcomeSummary;
}

/** How many unexplained outcomes are kept in full. */
export const MAX_DETAILS = 100;

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * Creates empty accounts. Trouble explains the outcomes of operations that were under way at any moment of it, or
 * within `aftermathMs` milliseconds after it.
 */
export function createAccounts(
  { aftermathMs, onUnexplained = () => {} }: {
    readonly aftermathMs: number;
    readonly onUnexplained?: (unexplained: Unexplained) => void;
  },
): Accounts {
  const periods: Period[] = [];
  const counts = new Map<string, Map<string, number>>();
  const troubles = new Map<Trouble, number>();
  const unexplained: Unexplained[] = [];
  let unexplainedCount = 0;
  let total = 0;

  function isExplained(
    { expected, during = {} }: Expectation,
    { outcome, startedAt, endedAt }: Entry,
  ): boolean {
    return expected.includes(outcome) ||
      periods.some(({ trouble, from, until }) =>
        startedAt <= until + aftermathMs && endedAt >= from &&
        during[trouble]?.includes(outcome)
      );
  }

  return {
    record(expectation, entry) {
      const { name } = expectation;
      const outcomes = counts.get(name) ?? new Map<string, number>();
      counts.set(name, outcomes);
      increase(outcomes, entry.outcome);
      total++;
      if (isExplained(expectation, entry)) return;
      unexplainedCount++;
      const detail = { name, ...entry };
      if (unexplained.length < MAX_DETAILS) unexplained.push(detail);
      onUnexplained(detail);
    },
    begin(trouble, at) {
      const period = { trouble, from: at, until: Infinity };
      periods.push(period);
      increase(troubles, trouble);
      return (until) => {
        period.until = until;
      };
    },
    periods: () => periods,
    summary: () => ({ total, counts, unexplained, unexplainedCount, troubles }),
  };
}
