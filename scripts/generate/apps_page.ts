/** docs/apps.md as HTML, which the gateway serves at /docs/apps. */
import { Marked } from "marked";
import { escapeHtml } from "../../src/pages/html.ts";
import type { Artefact } from "./artefact.ts";
import { textModule } from "./text_modules.ts";

const SOURCE = new URL("../../docs/apps.md", import.meta.url);

/** The HTML of the page's content, for src/pages. */
export const appsPage: Artefact = {
  path: "gen/text/pages/apps.html.ts",
  produce: async () =>
    textModule(appsHtml(await Deno.readTextFile(SOURCE)), "docs/apps.md"),
};

/**
 * Renders the document; its headings have the anchors that code hosts give them, so that its links lead there.
 *
 * @throws {TypeError} for a link to another document, which the gateway does not serve.
 */
export function appsHtml(markdown: string): string {
  const marked = new Marked({
    hooks: {
      // A narrow screen scrolls them, which takes the focus without a mouse.
      postprocess: (html) => html.replaceAll("<pre>", '<pre tabindex="0">'),
    },
    renderer: {
      heading({ tokens, depth, text }) {
        const id = anchorOf(text);
        return `<h${depth} id="${id}">${
          this.parser.parseInline(tokens)
        }</h${depth}>\n`;
      },
      link({ href, tokens }) {
        if (!/^(?:#|https:)/.test(href)) {
          throw new TypeError(
            `docs/apps.md links ${href}, which is not served`,
          );
        }
        return `<a href="${href}">${this.parser.parseInline(tokens)}</a>`;
      },
      // A narrow screen shows cells below each other, each with the name of its column.
      table({ header, rows }) {
        const heads = header.map(({ tokens }) =>
          `<th>${this.parser.parseInline(tokens)}</th>`
        );
        const lines = rows.map((cells) =>
          cells.map(({ tokens }, nth) =>
            `<td data-label="${labelOf(header[nth]?.text)}">${
              this.parser.parseInline(tokens)
            }</td>`
          ).join("\n")
        );
        return `<table>
<thead><tr>
${heads.join("\n")}
</tr></thead>
<tbody>
${lines.map((line) => `<tr>\n${line}\n</tr>`).join("\n")}
</tbody></table>
`;
      },
      html: () => "", // the marks of generated regions
    },
  });
  return marked.parse(markdown, { async: false });
}

/** The text of a heading in an attribute. */
function labelOf(markdown = ""): string {
  return escapeHtml(markdown.replaceAll("`", ""));
}

function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");
}
