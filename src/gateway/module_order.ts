/** The order in which modules are asked: as they are listed, but for those of which one says that it is to come first. */

/**
 * A module, and those before which it has to come: the reason, by name. One that is not there, as its folder was deleted,
 * is passed over; that the names are no mistakes is asked of the whole repository, by test/scripts/feature_order_test.ts.
 */
export interface OrderedModule {
  readonly name: string;
  readonly before?: Readonly<Record<string, string>>;
}

/** @throws {Error} if modules have one name, or if each of some has to come before another one of them */
export function inOrder<Module extends OrderedModule>(
  modules: readonly Module[],
): readonly Module[] {
  const names = new Set(modules.map(({ name }) => name));
  if (names.size < modules.length) {
    throw new Error("Cannot start with two modules of one name");
  }
  const ordered: Module[] = [];
  let waiting = modules;
  while (waiting.length > 0) {
    const next = waiting.find(({ name }) =>
      waiting.every((other) => other.before?.[name] === undefined)
    );
    if (next === undefined) {
      const circle = waiting.map(({ name }) => name).join(", ");
      throw new Error(`Cannot start: each of ${circle} is to come first`);
    }
    ordered.push(next);
    waiting = waiting.filter((module) => module !== next);
  }
  return ordered;
}
