/** The page for the developers of apps behind previews: docs/apps.md. */
import content from "../../gen/text/pages/apps.html.ts";
import { escapeHtml } from "./html.ts";
import { page } from "./page.ts";

/** Renders it as an HTML document, with a gateway's base domain in its examples. */
export function appsPage(domain = "preview.example.com"): string {
  const main = content.replaceAll(
    "preview.example.com",
    () => escapeHtml(domain),
  );
  return page("Your app behind a preview", main, { wide: true });
}
