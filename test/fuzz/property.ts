/** Properties as data: the tests try each a little, `deno task fuzz` tries them for long. */
import fc from "fast-check";

/** How often to try a property, and from where. */
export interface Trial {
  readonly runs: number;
  /** Random unless given. */
  readonly seed?: number | undefined;
  /** Where a failure was found with that seed: only it is tried again. */
  readonly path?: string | undefined;
}

/** What came of a trial. */
export interface Outcome {
  /** Inputs that were tried, those of the search for a smaller counterexample not among them. */
  readonly runs: number;
  readonly seed: number;
  /** Seed, path, the smallest counterexample found and its error, as text; undefined where the property holds. */
  readonly failure: string | undefined;
}

/** Something that holds for every input. */
export interface Property {
  /** A sentence, unique. */
  readonly name: string;
  /** Its part of the inputs of a long run, beside the others' parts: 1 unless an input costs much more than usual. */
  readonly share: number;
  check(trial: Trial): Promise<Outcome>;
}

/** A property that `holds` unless it throws. */
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

/** The same, for what has to be waited for, in a world that each trial starts and ends. */
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

/** A world with nothing in it. */
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

/** What `run` returns, undefined where it throws the error that it is allowed to; any other goes on. */
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
