/** The button that starts a sandbox, on the page that says that it does not run. */
import type { PageAction } from "../../errors.ts";
import { escapeHtml } from "../../pages/html.ts";
import { BASE_POLICY } from "../../pages/page.ts";

/** Path that the form posts to, on the preview host. */
export const START_PATH = "/porthole-start-sandbox";

/** Name of the form's field. */
export const TICKET_FIELD = "ticket";

/** What the button is for. */
export interface StartForm {
  /** Sealed for the sandbox and the visitor. */
  readonly ticket: string;
  /** The origins whose pages may frame the button. */
  readonly framedBy: readonly string[];
  /** What the button does: `recover` if the sandbox is in an error. */
  readonly means: "start" | "recover";
}

const LABELS: Readonly<Record<StartForm["means"], string>> = {
  start: "Start the sandbox",
  recover: "Recover the sandbox",
};

/**
 * The form, and the Content-Security-Policy of its page, which must not be hidden in somebody's frame. It has no
 * `form-action`, since browsers also apply that to the redirects that follow the form: those of the app, once it runs.
 */
export function startForm({ ticket, framedBy, means }: StartForm): PageAction {
  const ancestors = framedBy.length === 0 ? "'none'" : framedBy.join(" ");
  return {
    html: `<form method="post" action="${START_PATH}">
<button name="${TICKET_FIELD}" value="${escapeHtml(ticket)}">${
      LABELS[means]
    }</button>
</form>`,
    policy: `${BASE_POLICY}; frame-ancestors ${ancestors}`,
  };
}
