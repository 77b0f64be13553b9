/** The page for the developers of apps behind previews: docs/apps.md. */
import content from "../../gen/text/pages/apps.html.ts";
import { page } from "./page.ts";

/** Renders it as an HTML document. */
export function appsPage(): string {
  return page("Your app behind a preview", content, { wide: true });
}
