/** The page of what a sandbox's members have let others in by: its script asks the API for that, as its visitor. */
import script from "../../../gen/text/features/access_page/access.js.ts";
import { escapeHtml } from "../../pages/html.ts";
import { page, PLAIN_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { pageScript, withScripts } from "../../pages/script.ts";

const ACCESS = pageScript(script);

/** Headers of the page: it may run its own script, ask this gateway's API, and be in no frame. */
export const ACCESS_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-security-policy": withScripts(
    `${PLAIN_POLICY}; form-action 'none'; frame-ancestors 'none'; connect-src 'self'`,
    [ACCESS],
  ),
};

const COLUMNS = ["Token", "Ports", "Methods", "Made", "Last used", "Ends"];
const HEADS = COLUMNS.map((name) => `<th scope="col">${name}</th>`);
const CELLS = COLUMNS.map((name) => `<td data-label="${name}">`);

/** Renders the page about a sandbox as an HTML document. */
export function accessPageOf(sandbox: string): string {
  return page(
    `Access to ${sandbox}`,
    `<p class="status">Porthole</p>
<h1>Access to <span class="name">${escapeHtml(sandbox)}</span></h1>
<p id="state" role="status">This page needs JavaScript.</p>
<h2 id="title" tabindex="-1">Tokens</h2>
<p>For programs that cannot log in: jobs, webhooks, tests. A token opens the ports that it names, and nothing else.</p>
<section id="made" hidden>
<h3 tabindex="-1">The new token, which is shown only now</h3>
<pre class="prose" tabindex="0"></pre><button>Copy the token</button>
<h3>Its use</h3><pre class="prose" tabindex="0"></pre><button>Copy the command</button>
<p>Keep it as you keep passwords: whoever has it may use it.</p>
</section>
<table hidden><thead><tr>${HEADS.join("")}<td></thead><tbody id="rows"></table>
<template><tr>${
      CELLS.join("")
    }<td><button class="quiet">Revoke</button></template>
<form hidden><h3>Make a token</h3>
<div class="fields">
<label>Ports <input name="ports" required pattern="[0-9]+([,\\s]+[0-9]+)*" placeholder="3000, 8080"></label>
<label>Methods <input name="methods" placeholder="all, or GET, HEAD"></label>
<label>Hours <input name="hours" type="number" required min="1" max="720" value="24"></label>
<label>Note <input name="note" maxlength="200" placeholder="what it is for"></label>
</div><button>Make a token</button></form>
<script>${ACCESS.text}</script>`,
    { wide: true },
  );
}
