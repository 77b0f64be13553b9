/** Variables whose names are nearly those of settings: nobody reads them, and nothing would say so. */

/** A variable that is set, and the setting that was probably meant. */
export interface Misspelling {
  readonly name: string;
  readonly meant: string;
}

/** Shortest name that is taken for another one's misspelling: much is one letter away from a shorter one. */
const MIN_LENGTH = 6;

/**
 * Finds the variables in `env` whose name differs from one of `names` by a letter that is wrong, missing, doubled or
 * swapped with the next, or by its plural.
 *
 * @example
 * ```ts
 * findMisspelt(["TRUSTED_PROXIES"], { TRUSTED_PROXY: "10.0.0.1" });
 * // [{ name: "TRUSTED_PROXY", meant: "TRUSTED_PROXIES" }]
 * ```
 */
export function findMisspelt(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly Misspelling[] {
  const known = new Set(names);
  const found = new Map<string, Misspelling>();
  for (const meant of names) {
    if (meant.length < MIN_LENGTH) continue;
    for (const name of Object.keys(env)) {
      if (known.has(name) || found.has(name)) continue;
      if (isMisspelling(name, meant)) found.set(name, { name, meant });
    }
  }
  return [...found.values()];
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

/** Says which setting was probably meant by each, in one line for each. */
export function formatMisspelt(misspelt: readonly Misspelling[]): string {
  return misspelt.map(({ name, meant }) =>
    `${name} is none of the gateway's variables. Was ${meant} meant?`
  ).join("\n");
}
