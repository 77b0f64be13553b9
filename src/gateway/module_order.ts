/** The order in which modules are asked: as they are listed, but for those of which one says that it is to come first. */

/** A module, and those before which it has to come: the reason, by name. */
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
