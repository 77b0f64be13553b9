/** Variables whose names are nearly those of settings: nobody reads them, and nothing would say so. */

/** A variable that is set, and the setting that was probably meant. */
export interface Misspelling {
  readonly name: string;
  readonly meant: string;
}

/** Letters of names. */
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

/** Shortest name that is taken for another one's misspelling: much is one letter away from a shorter one. */
const MIN_LENGTH = 6;

/**
 * The beginning that a setting's name and its misspellings have in common: the first word, and two letters. The gateway
 * has no permission to list its variables, but may ask for every name that begins like this.
 *
 * @example
 * ```ts
 * readablePart("TRUSTED_PROXIES"); // "TRUSTED_PR"
 * readablePart("WORKERS"); // "WORKE"
 * readablePart("WAKE"); // "WAKE"
 * ```
 */
export function readablePart(name: string): string {
  const word = name.indexOf("_");
  return name.slice(0, word < 0 ? 5 : word + 3);
}

/** Where to look for misspellings. */
interface Search {
  /** True for those at the beginning of a name and those with a wrong letter too, which are ten times as many. */
  readonly isThorough?: boolean;
}

/**
 * Finds the variables that are set under a name that differs from one of `names` by a letter that is missing, doubled or
 * swapped with the next, or by its plural.
 *
 * @example
 * ```ts
 * findMisspelt(["TRUSTED_PROXIES"], (name) => name === "TRUSTED_PROXY");
 * // [{ name: "TRUSTED_PROXY", meant: "TRUSTED_PROXIES" }]
 * ```
 */
export function findMisspelt(
  names: readonly string[],
  isSet: (name: string) => boolean,
  search: Search = {},
): readonly Misspelling[] {
  const known = new Set(names);
  const found = new Map<string, Misspelling>();
  for (const meant of names) {
    if (meant.length < MIN_LENGTH) continue;
    for (const name of misspellings(meant, search)) {
      if (!found.has(name) && !known.has(name) && isSet(name)) {
        found.set(name, { name, meant });
      }
    }
  }
  return [...found.values()];
}

/** The misspellings of a name, some of them twice, and the name itself among them. */
function* misspellings(
  name: string,
  { isThorough = false }: Search,
): Generator<string> {
  const plural = /(?:IES|Y)$/.exec(name);
  if (plural !== null) {
    const stem = name.slice(0, plural.index);
    yield* [`${stem}Y`, `${stem}YS`, `${stem}IES`, `${stem}IE`];
  }
  yield `${name}S`;
  for (
    let i = isThorough ? 0 : readablePart(name).length;
    i < name.length;
    i++
  ) {
    const before = name.slice(0, i);
    const letter = name.charAt(i);
    const after = name.slice(i + 1);
    yield before + after;
    yield before + letter + letter + after;
    yield before + after.charAt(0) + letter + after.slice(1);
    if (!isThorough) continue;
    for (const wrong of LETTERS) yield before + wrong + after;
  }
}

/** Says which setting was probably meant by each, in one line for each. */
export function formatMisspelt(misspelt: readonly Misspelling[]): string {
  return misspelt.map(({ name, meant }) =>
    `${name} is none of the gateway's variables. Was ${meant} meant?`
  ).join("\n");
}
