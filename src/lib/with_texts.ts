/** Rows of a table, each with its text: a file of texts has one for each, which is the member `name` of the row. */
export function withTexts<
  const N extends string,
  R extends Readonly<Record<string, object>>,
>(
  name: N,
  rows: R,
  texts: Readonly<Record<keyof R & string, string>>,
): { readonly [K in keyof R]: R[K] & Readonly<Record<N, string>> } {
  const entries = Object.entries(rows)
    .map(([key, row]) => [key, { ...row, [name]: texts[key] }]);
  return Object.fromEntries(entries);
}
