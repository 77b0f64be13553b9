/** Outcomes of all operations, with those that no expectation and no trouble explains. */

/** A fault that is injected for a while, or that the load's process, which has the API in it, stands still. */
export type Trouble =
  | "api_unavailable"
  | "api_refusing"
  | "api_silent"
  | "load_stalled"
  | "runner_down";

/** The outcomes that an operation may have. */
export interface Expectation {
  readonly name: string;
  /** Outcomes that are right at any time. */
  readonly expected: readonly string[];
  /** Further outcomes that are right for operations that overlap with trouble. */
  readonly during?: Readonly<Partial<Record<Trouble, readonly string[]>>>;
}

/** The runner is down: an exchange that needs it fails, or breaks off if it had begun. */
export const RUNNER_DOWN: readonly string[] = [
  "502 runner_unreachable",
  "502 runner_protocol_error",
  "200 broken off",
];

const API_DOWN: readonly string[] = ["503 api_unreachable"];

/** The API is down: questions that only it can answer fail, unless a cached answer can stand in. */
export const API_TROUBLE = {
  api_unavailable: API_DOWN,
  api_refusing: API_DOWN,
  api_silent: API_DOWN,
  load_stalled: API_DOWN,
} as const;

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

/** The outcomes of all operations. */
export interface OutcomeSummary {
  readonly total: number;
  /** The number of times that each outcome occurred, by operation. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly unexplainedCount: number;
  /** The number of times that each trouble occurred. */
  readonly troubles: ReadonlyMap<Trouble, number>;
}

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * The outcomes of a run. Trouble explains the outcomes of operations that were under way at any moment of it, or within
 * `aftermathMs` milliseconds after it.
 */
export class Outcomes {
  readonly #aftermathMs: number;
  readonly #onUnexplained: (unexplained: Unexplained) => void;
  readonly #periods: { trouble: Trouble; from: number; until: number }[] = [];
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #troubles = new Map<Trouble, number>();
  #unexplainedCount = 0;
  #total = 0;

  /** `onUnexplained` is called with each outcome that nothing explains. */
  constructor(
    aftermathMs: number,
    onUnexplained: (unexplained: Unexplained) => void,
  ) {
    this.#aftermathMs = aftermathMs;
    this.#onUnexplained = onUnexplained;
  }

  /** Records how an operation ended. */
  record(expectation: Expectation, entry: Entry): void {
    const { name } = expectation;
    const outcomes = this.#counts.get(name) ?? new Map<string, number>();
    this.#counts.set(name, outcomes);
    increase(outcomes, entry.outcome);
    this.#total++;
    if (this.#isExplained(expectation, entry)) return;
    this.#unexplainedCount++;
    this.#onUnexplained({ name, ...entry });
  }

  /** Records that trouble begins; the function returned records its end. */
  begin(trouble: Trouble, at: number): (at: number) => void {
    const period = { trouble, from: at, until: Infinity };
    this.#periods.push(period);
    increase(this.#troubles, trouble);
    return (until) => {
      period.until = until;
    };
  }

  /** All that was recorded so far. */
  summary(): OutcomeSummary {
    return {
      total: this.#total,
      counts: this.#counts,
      unexplainedCount: this.#unexplainedCount,
      troubles: this.#troubles,
    };
  }

  #isExplained(
    { expected, during = {} }: Expectation,
    { outcome, startedAt, endedAt }: Entry,
  ): boolean {
    return expected.includes(outcome) ||
      this.#periods.some(({ trouble, from, until }) =>
        startedAt <= until + this.#aftermathMs && endedAt >= from &&
        during[trouble]?.includes(outcome)
      );
  }
}
