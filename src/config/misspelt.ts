/** Variables whose names are nearly those of settings: nobody reads them, and nothing would say so. */
import type { Environment } from "./read_settings.ts";

type Misspelling = Readonly<Record<"name" | "meant", string>>;

/** Shortest name that is taken for another one's misspelling: much is one letter away from a shorter one. */
const MIN_LENGTH = 6;

/** Finds variables whose name differs from one of `names` by a letter (wrong, missing, doubled, swapped) or a plural. */
export function findMisspelt(
  names: readonly string[],
  env: Environment,
): readonly Misspelling[] {
  const unknown = new Set(Object.keys(env)).difference(new Set(names));
  const found: Misspelling[] = [];
  for (const meant of names.filter(({ length }) => length >= MIN_LENGTH)) {
    for (const name of unknown) {
      if (!isMisspelling(name, meant)) continue;
      unknown.delete(name);
      found.push({ name, meant });
    }
  }
  return found;
}

function isMisspelling(name: string, meant: string): boolean {
  if (isPlural(name, meant)) return true;
  let same = 0;
  while (same < meant.length && name[same] === meant[same]) same++;
  const [given, right] = [name.slice(same), meant.slice(same)];
  const isMissing = given === right.slice(1);
  const isDoubled = given.slice(1) === right && given[0] === name[same - 1];
  const isSwapped = given.slice(2) === right.slice(2) &&
    given[0] === right[1] && given[1] === right[0];
  const isWrong = given.slice(1) === right.slice(1) && /^[A-Z_]/.test(given);
  return isMissing || isDoubled || isSwapped || isWrong;
}

/** True for a plural, right or wrong, where the name is a singular, or the other way round. */
function isPlural(name: string, meant: string): boolean {
  if (name === `${meant}S`) return true;
  const plural = /(?:IES|Y)$/.exec(meant);
  if (plural === null) return false;
  const stem = meant.slice(0, plural.index);
  return ["Y", "YS", "IES", "IE"].some((end) => name === stem + end);
}

export function formatMisspelt(misspelt: readonly Misspelling[]): string {
  return misspelt.map(({ name, meant }) =>
    `${name} is none of the gateway's variables. Was ${meant} meant?`
  ).join("\n");
}
