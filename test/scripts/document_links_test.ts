/** Every link of the documents leads somewhere. */
import assert from "node:assert/strict";
import { DOCUMENTS, ROOT } from "../support/documents.ts";

/** `[label]: target`, at the end of a document. */
const DEFINITION = /^\[([^\]]+)\]: (\S+)$/gm;

/** The targets of a document's links within the repository. */
function linksIn(markdown: string): string[] {
  const definitions = [...markdown.matchAll(DEFINITION)];
  const inline = [...markdown.matchAll(/(\])\(([^)\s]+)\)/g)];
  return [...definitions, ...inline].map(([, , target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a document's headings, as derived by code hosts. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-")
  );
}

Deno.test("every relative link of the documents leads to a file, and to a heading where it names one", async () => {
  const broken: string[] = [];
  for (const [document, text] of DOCUMENTS) {
    for (const link of linksIn(text)) {
      const [path = "", fragment = ""] = link.split("#", 2);
      const base = new URL(document, ROOT);
      const target = path === "" ? base : new URL(path, base);
      try {
        if (fragment === "") await Deno.stat(target);
        else {
          const anchors = anchorsOf(await Deno.readTextFile(target));
          assert(anchors.includes(fragment));
        }
      } catch {
        broken.push(`${document}: ${link}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("a label of a file, such as [service/access], links that file", () => {
  for (const [document, text] of DOCUMENTS) {
    for (
      const [, label = "", target = ""] of text.matchAll(
        /\[([a-z0-9_]+(?:\/[a-z0-9_]+)+)\]\(([^)]*\btest\/[^)]+\.ts)\)/g,
      )
    ) {
      assert.match(
        target,
        new RegExp(`/${label}(?:_test)?\\.ts$`),
        `${document}: ${label}`,
      );
    }
  }
});

Deno.test("every label of a file without a link of its own is defined, and every definition is used", () => {
  for (const [document, text] of DOCUMENTS) {
    const defined = [...text.matchAll(DEFINITION)].map(([, label]) => label);
    const used = text.replaceAll(DEFINITION, "")
      .matchAll(/\[([a-z0-9_]+(?:\/[a-z0-9_]+)+)\](?!\()/g);
    assert.deepEqual(
      new Set([...used].map(([, label]) => label)),
      new Set(defined),
      document,
    );
  }
});
