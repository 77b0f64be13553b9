import { copyOf } from "./copy_of.ts";

/** Bounds of what is remembered, since peers choose the names; once it is full it starts anew, lest one peer fill it. */
const MAX_NAMES = 1000;
const MAX_NAME_LENGTH = 64;

/** Remembers what `decide` says of the name of a header, or a short value: the same few come with every message. */
export function byName<T extends string | boolean>(
  decide: (name: string) => T,
): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const remembered = known.get(name);
    if (remembered !== undefined) return remembered;
    const decided = decide(name);
    if (name.length <= MAX_NAME_LENGTH) {
      if (known.size === MAX_NAMES) known.clear();
      known.set(copyOf(name), decided);
    }
    return decided;
  };
}
