/**
 * The references in the documents, as plain data. A test is cited by a link to its file and the beginning of its name:
 * `[service/access] “a port in any other spelling…”`, where the label is defined at the end of the document.
 */

/** A link in a document. */
export interface Link {
  /** Relative to the document; without a fragment. */
  readonly path: string;
  /** The anchor of a heading; empty if there is none. */
  readonly fragment: string;
}

/** A test cited by a document. */
export interface NamedTest {
  /** Relative to the document. */
  readonly path: string;
  /** The name as quoted, with `…` for omissions. */
  readonly name: string;
}

/** The references of a document. */
export interface DocumentReferences {
  readonly links: readonly Link[];
  readonly tests: readonly NamedTest[];
  /** Labels that look like a file's, but have no definition. */
  readonly undefinedLabels: readonly string[];
  /** Definitions that are not used. */
  readonly unusedLabels: readonly string[];
}

const DEFINITION = /^\[([^\]]+)\]: (\S+)$/gm;
const INLINE_LINK = /\]\(([^)\s]+)\)/g;
const FENCE = /^```.*?^```$/gms;
/** One of our labels, or a quotation; labels of inline links do not count. */
const LABEL_OR_QUOTE = /\[([a-z0-9_]+(?:\/[a-z0-9_]+)+)\](?!\()|“([^”]+)”/g;
const TEST_FILE = /(?:_test|\/scenarios\/\w+)\.ts$/;

/** Reads a Markdown document. */
export function readDocument(markdown: string): DocumentReferences {
  const definitions = new Map<string, string>();
  for (const [, label = "", target = ""] of markdown.matchAll(DEFINITION)) {
    definitions.set(label, target);
  }
  const text = markdown.replaceAll(DEFINITION, "").replaceAll(FENCE, "");
  const used = new Set<string>();
  const undefinedLabels: string[] = [];
  const tests: NamedTest[] = [];
  for (const block of blocksOf(text)) {
    let file: string | undefined;
    for (const [, label, name] of block.matchAll(LABEL_OR_QUOTE)) {
      if (label !== undefined) {
        const target = definitions.get(label);
        if (target === undefined) undefinedLabels.push(label);
        used.add(label);
        file = target !== undefined && TEST_FILE.test(target)
          ? target
          : undefined;
      } else if (file !== undefined && name !== undefined) {
        tests.push({ path: file, name });
      }
    }
  }
  const targets = [
    ...definitions.values(),
    ...[...text.matchAll(INLINE_LINK)].map(([, target = ""]) => target),
  ];
  return {
    links: targets.filter((target) => !/^[a-z]+:/.test(target)).map(linkOf),
    tests,
    undefinedLabels,
    unusedLabels: [...definitions.keys()].filter((label) => !used.has(label)),
  };
}

/** The units that a quotation may be part of: table rows, and paragraphs with their lines joined. */
function blocksOf(text: string): string[] {
  return text.split(/\n\n+|\n(?=[|*-])/).map((block) =>
    block.replaceAll(/\s*\n\s*/g, " ")
  );
}

function linkOf(target: string): Link {
  const [path = "", fragment = ""] = target.split("#", 2);
  return { path, fragment };
}

/** The values of the string literals of a source file. */
export function stringLiterals(source: string): string[] {
  return [...source.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replaceAll('\\"', '"')
  );
}

/** Whether `name` matches `quoted`, in which each `…` stands for any text. */
export function isQuoteOf(quoted: string, name: string): boolean {
  const parts = quoted.split("…").map((part) => part.trim());
  const pattern = parts.map((part) => RegExp.escape(part)).join(".*");
  return new RegExp(`^${pattern}$`, "s").test(name);
}

/** The anchors of a document's headings, as derived by code hosts. */
export function anchorsOf(markdown: string): string[] {
  const headings = markdown.replaceAll(FENCE, "").matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-")
  );
}
