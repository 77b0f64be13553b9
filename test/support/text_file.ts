/** A file with a text, for a test that changes it. */

/** A file that is there until it is disposed of. */
export interface TextFile extends AsyncDisposable {
  readonly path: string;
  write(text: string): Promise<void>;
}

/** Writes a text to a file of its own. */
export async function textFile(text: string): Promise<TextFile> {
  await Deno.mkdir("data/test", { recursive: true });
  const path = `data/test/${crypto.randomUUID()}.txt`;
  await Deno.writeTextFile(path, text);
  return {
    path,
    write: (text) => Deno.writeTextFile(path, text),
    [Symbol.asyncDispose]: () => Deno.remove(path),
  };
}
