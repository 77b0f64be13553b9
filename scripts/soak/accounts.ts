/** The book of outcomes: what every operation came to, and which of that nobody can explain. */

/** Something that is done to the world for a while, on purpose. */
export type Trouble =
  | "api_unavailable"
  | "api_refusing"
  | "api_silent"
  | "runner_down";

/** What may become of an operation. */
export interface Expectation {
  readonly name: string;
  /** The outcomes that are right at any time. */
  readonly expected: readonly string[];
  /** Further outcomes, of operations that trouble has met. */
  readonly during?: Readonly<Partial<Record<Trouble, readonly string[]>>>;
}

/** One finished operation; times in ms, of any clock that is the same for all. */
export interface Entry {
  readonly outcome: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** An outcome that no trouble explains. */
export interface Unexplained extends Entry {
  readonly name: string;
}

/** What came of all operations. */
export interface Balance {
  readonly total: number;
  /** How often each outcome came, by operation. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** The first {@linkcode MAX_DETAILS} of them. */
  readonly unexplained: readonly Unexplained[];
  readonly unexplainedCount: number;
  /** How often each trouble was made. */
  readonly troubles: ReadonlyMap<Trouble, number>;
}

/** A time of trouble; `until` is infinite while it lasts. */
export interface Period {
  readonly trouble: Trouble;
  readonly from: number;
  readonly until: number;
}

/** Keeps the book. */
export interface Accounts {
  note(expectation: Expectation, entry: Entry): void;
  /** Trouble begins; the result tells that it is over. */
  begin(trouble: Trouble, at: number): (at: number) => void;
  /** When there was trouble, in the order in which it began. */
  periods(): readonly Period[];
  balance(): Balance;
}

/** Unexplained outcomes that are kept in full. */
export const MAX_DETAILS = 100;

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * Creates an empty book. Trouble explains what operations come to that were under way at any moment of it, or within
 * `aftermathMs` milliseconds after it.
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
    note(expectation, entry) {
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
    balance: () => ({ total, counts, unexplained, unexplainedCount, troubles }),
  };
}
