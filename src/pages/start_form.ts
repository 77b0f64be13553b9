/** The button that starts a sandbox, on the page that says that it does not run. */
import type { StartAdvice } from "../errors.ts";
import { escapeHtml } from "./html.ts";
import { BASE_POLICY } from "./page.ts";

/** Path that the form posts to, on the preview host. */
export const START_PATH = "/porthole-start-sandbox";

/** Name of the form's field. */
export const TICKET_FIELD = "ticket";

const LABELS: Readonly<Record<StartAdvice["means"], string>> = {
  start: "Start the sandbox",
  recover: "Recover the sandbox",
};

/** Renders the form. */
export function startForm({ ticket, means }: StartAdvice): string {
  return `<form method="post" action="${START_PATH}">
<button name="${TICKET_FIELD}" value="${escapeHtml(ticket)}">${
    LABELS[means]
  }</button>
</form>`;
}

/**
 * Content-Security-Policy of a page with the button, which must not be hidden in somebody's frame. It has no
 * `form-action`, since browsers also apply that to the redirects that follow the form: those of the app, once it runs.
 */
export function startPolicy({ framedBy }: StartAdvice): string {
  const ancestors = framedBy.length === 0 ? "'none'" : framedBy.join(" ");
  return `${BASE_POLICY}; frame-ancestors ${ancestors}`;
}
