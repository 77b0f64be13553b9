/** The page that documents the gateway's routes and error codes. */
import main from "../../gen/text/pages/docs_page.html.ts";
import { ERROR_CODES, type ErrorCode, ERRORS } from "../error_codes.ts";
import { errorText } from "./error_texts.ts";
import { escapeHtml, filled } from "./html.ts";
import { page } from "./page.ts";

/** The part of an OpenAPI operation that the page shows. */
interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly responses?: Readonly<Record<string, { description?: string }>>;
}

/** The part of an OpenAPI document that the page shows. */
interface DocsSource {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths?: object;
}

/** Escapes a description, which is Markdown: of that, it uses code spans only. */
function withCode(description: string): string {
  return escapeHtml(description).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** A cell, which a narrow screen shows with the name of its column. */
function cell(label: string, html: string): string {
  return `<td data-label="${label}">${html}</td>`;
}

function routeRow([path, methods]: [string, Record<string, Operation>]) {
  const told = Object.entries(methods).map(([name, operation]) => {
    const { summary = "", description = summary, responses = {} } = operation;
    const statuses = Object.entries(responses).map((
      [status, { description }],
    ) => `<li><code>${status}</code> ${withCode(description ?? "")}</li>`);
    const text = `<p>${withCode(description)}</p><ul>${statuses.join("")}</ul>`;
    return [name.toUpperCase(), text] as const;
  });
  // What several methods do is said once.
  const byText = Map.groupBy(told, ([, text]) => text);
  const does = [...byText].map(([text, same]) =>
    (byText.size > 1 ? `<p><code>${namesOf(same)}</code></p>` : "") + text
  );
  return `<tr>${
    cell("Route", `<code>${namesOf(told)} ${escapeHtml(path)}</code>`)
  }${cell("What it does", does.join(""))}</tr>`;
}

function namesOf(told: readonly (readonly [name: string, text: string])[]) {
  return told.map(([name]) => name).join(", ");
}

function errorRow(code: ErrorCode, domain: string): string {
  const { title, hint } = errorText(code, { domain });
  const { status } = ERRORS[code];
  const meaning = escapeHtml(`${title}. ${hint}`);
  return `<tr id="${code}">${cell("Code", `<code>${code}</code>`)}${
    cell("Status", `${status}`)
  }${cell("Meaning", meaning)}</tr>`;
}

/** Renders the documentation as an HTML document; `domain` is the base domain where it is read. */
export function docsPage(source: DocsSource, domain = "{domain}"): string {
  const routes = Object.entries(source.paths ?? {}).map(routeRow);
  const codes = ERROR_CODES.map((code) => errorRow(code, domain));
  const title = `${source.info.title} ${source.info.version}`;
  const shown = filled(main, {
    title: escapeHtml(title),
    domain: escapeHtml(domain),
    codes: codes.join("\n"),
    routes: routes.join("\n"),
  });
  return page(title, shown, { wide: true });
}
