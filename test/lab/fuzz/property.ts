/** Properties as data: the tests try each one briefly, `deno task fuzz` for long. */
import fc from "fast-check";

/** The number of inputs to try, and their choice. */
export interface Trial {
  readonly runs: number;
  /** Random unless given. */
  readonly seed?: number | undefined;
  /** Path of a failure found with that seed; only that input is tried again. */
  readonly path?: string | undefined;
}

/** The result of a trial. */
export interface Outcome {
  /** Inputs tried, not counting those for shrinking a counterexample. */
  readonly runs: number;
  readonly seed: number;
  /** Seed, path, the smallest counterexample found and its error, as text; undefined if the property holds. */
  readonly failure: string | undefined;
}

/** Something that has to hold for every input. */
export interface Property {
  /** A unique sentence. */
  readonly name: string;
  /** Its weight when a long run's inputs are divided: 1 unless an input costs much more than usual. */
  readonly share: number;
  check(trial: Trial): Promise<Outcome>;
}

/** A property that fails for an input if `holds` throws. */
export function property<T>(
  name: string,
  input: fc.Arbitrary<T>,
  holds: (value: T) => void,
  share = 1,
): Property {
  const checked = fc.property(input, holds);
  return {
    name,
    share,
    check: (trial) =>
      Promise.resolve(outcomeOf(name, fc.check(checked, parametersOf(trial)))),
  };
}

/** The same for asynchronous code, in a world that each trial starts and disposes of. */
export function asyncProperty<T, World extends AsyncDisposable>(
  name: string,
  input: fc.Arbitrary<T>,
  options: {
    readonly share: number;
    start(): Promise<World> | World;
    holds(value: T, world: World): Promise<void>;
  },
): Property {
  return {
    name,
    share: options.share,
    async check(trial) {
      await using world = await options.start();
      const checked = fc.asyncProperty(
        input,
        (value) => options.holds(value, world),
      );
      return outcomeOf(name, await fc.check(checked, parametersOf(trial)));
    },
  };
}

/** An empty world. */
export function nowhere(): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => Promise.resolve() };
}

function parametersOf<Ts>({ runs, seed, path }: Trial): fc.Parameters<Ts> {
  return {
    numRuns: runs,
    ...(seed === undefined ? {} : { seed }),
    ...(path === undefined ? {} : { path }),
  };
}

function outcomeOf<Ts>(name: string, details: fc.RunDetails<Ts>): Outcome {
  const { numRuns: runs, seed, failed, counterexamplePath } = details;
  if (!failed) return { runs, seed, failure: undefined };
  const again =
    `Again: deno task fuzz --seed=${seed} --path=${counterexamplePath} --only="${name}"`;
  const failure = [
    fc.defaultReportMessage(details),
    describe(details.errorInstance),
    again,
  ].join("\n");
  return { runs, seed, failure };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** Returns `run()`; undefined if it throws the allowed error. Other errors propagate. */
export function unless<T>(
  allowed: new (...args: never[]) => Error,
  run: () => T,
): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof allowed) return undefined;
    throw error;
  }
}
