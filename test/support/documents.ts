/** The documents of the repository. */

export const ROOT = new URL("../../", import.meta.url);

/** The paths of all documents, from the root of the repository, and their texts without examples of code. */
export const DOCUMENTS: ReadonlyMap<string, string> = new Map(
  await Promise.all(
    [
      "README.md",
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      "openapi/README.md",
      "src/platform/README.md",
      "test/conformance/README.md",
      "test/faults/README.md",
      "test/lab/attack/README.md",
      "test/lab/bench/README.md",
      "test/lab/drill/README.md",
      ...["contract", "demo", "doctor", "generate", "stand_in"]
        .map((name) => `scripts/${name}/README.md`),
      ...["docs", "docs/features", "docs/run"].flatMap((folder) =>
        [...Deno.readDirSync(new URL(`${folder}/`, ROOT))]
          .map(({ name }) => `${folder}/${name}`)
          .filter((path) => path.endsWith(".md"))
      ),
    ].map(async (path) => {
      const text = await readDocument(path);
      return [path, text.replaceAll(/^```.*?^```$/gms, "")] as const;
    }),
  ),
);

/** A document with its examples of code. */
export function readDocument(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** The examples below a heading of a document's text, in one language. */
export function examplesIn(
  text: string,
  heading: string,
  language: string,
): string[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const found = section.matchAll(
    new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"),
  );
  return [...found].map(([, text = ""]) => text);
}

/** A file on the way of a request, as docs/architecture.md describes it. */
export interface WalkStep {
  readonly number: number;
  /** From the root of the repository. */
  readonly path: string;
  /** The number of the file that calls it; undefined if a request of its own leads there. */
  readonly from: number | undefined;
  /** `relay`, `Exchange.relay`, `#relay` or `new Exchange`; the first is what is called. */
  readonly functions: readonly string[];
}

/** The files on the way that a document numbers. */
export function walkSteps(text: string): WalkStep[] {
  return [...text.matchAll(
    /^(\d+)\. \[`(src\/[^`]+)`\](.*?)(?=^\d+\. \[|\n\n)/gms,
  )].map(([, number, path = "", rest = ""]) => ({
    number: Number(number),
    path,
    from: /\(by\s+the\s+browser\)/.test(rest)
      ? undefined
      : Number(/\(from (\d+)/.exec(rest)?.[1] ?? Number(number) - 1),
    functions: [...rest.matchAll(/`((?:new |\w+\.)?#?\w+)\(\)`/g)]
      .map(([, name = ""]) => name),
  }));
}
