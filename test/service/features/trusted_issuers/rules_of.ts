/** Files of trusted issuers, for tests. */

/** A file that holds rules until it is disposed of. */
export interface RulesFile extends AsyncDisposable {
  readonly path: string;
  write(rules: readonly object[]): Promise<void>;
}

/** Writes rules to a file. */
export async function rulesOf(...rules: readonly object[]): Promise<RulesFile> {
  await Deno.mkdir("data/test", { recursive: true });
  const path = `data/test/issuers-${crypto.randomUUID()}.json`;
  const write = (rules: readonly object[]) =>
    Deno.writeTextFile(path, JSON.stringify(rules));
  await write(rules);
  return { path, write, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
