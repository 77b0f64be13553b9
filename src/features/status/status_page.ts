/** The status page of an operator: what the gateway does now. Its script draws what `/events` tells. */
import css from "../../../gen/text/features/status/status.css.ts";
import client from "../../../gen/text/features/status/status_client.js.ts";
import main from "../../../gen/text/features/status/status_page.html.ts";
import { filled } from "../../pages/html.ts";
import { page, PAGE_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { pageScript, withScripts } from "../../pages/script.ts";

const SCRIPT = pageScript(client);

const HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `${
    withScripts(PAGE_POLICY, [SCRIPT])
  }; connect-src 'self'; frame-ancestors 'none'`,
  "cross-origin-resource-policy": "same-origin",
};

/** Tables whose rows the script fills in: id, title, columns, and the time of what is counted, unless the script tells. */
const TABLES: readonly (readonly [string, string, string, string?])[] = [
  ["sandboxes", "Busiest sandboxes", "sandbox", "about now"],
  [
    "organizations",
    "Busiest organizations",
    "organization, requests, bytes",
    "about now",
  ],
  ["runners", "Runners that are waited for", "runner, requests, state", "now"],
  ["limits", "Limits in use", "setting, share, in use", ""],
  ["errors", "Errors of the gateway", "code, requests"],
  ["users-errors", "Errors of visitors and apps", "code, requests"],
  ["api", "Calls of Daytona’s API", "operation, calls, failed"],
  ["others", "Cache, logins, WebSockets", "what, times"],
];

const SECTIONS = TABLES.map(([id, title, columns, time]) => {
  const heads = columns.split(", ")
    .map((name) => `<th scope="col">${name}</th>`).join("");
  const span = time === undefined
    ? ' <small class="span"></small>'
    : time && ` <small>${time}</small>`;
  return `<section>
<h2>${title}${span}</h2>
<div class="scroll" tabindex="0" role="group" aria-label="${title}">
<table class="numbers">
<thead><tr id="${id}-head">${heads}</tr></thead>
<tbody id="${id}"></tbody>
</table>
</div>
</section>`;
});

const MAIN = `${filled(main, { sections: SECTIONS.join("\n") })}
<script>${SCRIPT.text}</script>`;

const head = `<style>${css}</style>`;
const HTML = page("Porthole: status", MAIN, { wide: true, head });

export function statusPage(): Response {
  return new Response(HTML, { headers: HEADERS });
}
