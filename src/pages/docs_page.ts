/** The page that documents the gateway's routes and error codes. */
import { type ErrorCode, ERRORS } from "../error_codes.ts";
import { ERROR_TEXTS } from "./error_texts.ts";
import { escapeHtml } from "./html.ts";
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

function operationSection(
  method: string,
  path: string,
  { summary = "", description = summary, responses = {} }: Operation,
): string {
  const rows = Object.entries(responses).map(([status, { description }]) =>
    `<li><code>${status}</code> ${withCode(description ?? "")}</li>`
  );
  return `<section>
<h3><code>${escapeHtml(`${method.toUpperCase()} ${path}`)}</code></h3>
<p>${withCode(description)}</p>
<ul>${rows.join("")}</ul>
</section>`;
}

function errorRow(code: ErrorCode): string {
  const { title, hint } = ERROR_TEXTS[code];
  const { status } = ERRORS[code];
  const meaning = escapeHtml(`${title}. ${hint}`);
  return `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${meaning}</td></tr>`;
}

/** Renders the documentation as an HTML document. */
export function docsPage(source: DocsSource): string {
  const operations = Object.entries(source.paths ?? {})
    .flatMap(([path, methods]) =>
      Object.entries<Operation>(methods).map(([method, operation]) =>
        operationSection(method, path, operation)
      )
    );
  const codes = (Object.keys(ERROR_TEXTS) as ErrorCode[]).map(errorRow);
  const title = `${source.info.title} ${source.info.version}`;
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p>Previews are at <code>{port}-{sandbox}.{domain}</code>; every path there belongs to the app. These are the gateway’s
own routes, on its base domain. Machine-readable: <a href="/openapi.json">/openapi.json</a>. What apps receive: <a href="/docs/apps">/docs/apps</a>.</p>
<h2>Routes</h2>
${operations.join("\n")}
<h2>Errors</h2>
<p>Error responses of the gateway itself, as opposed to the app’s, have one of these codes in
<code>X-Porthole-Error</code>. Their body is <code>application/problem+json</code>, or a page for browsers.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead><tbody>
${codes.join("\n")}
</tbody></table>`,
    { wide: true },
  );
}
