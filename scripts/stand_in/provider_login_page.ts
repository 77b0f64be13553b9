/** The provider's only page, for login and consent. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { escapeHtml } from "../../src/pages/html.ts";
import { page } from "../../src/pages/page.ts";
import type { Engine, InteractionResult } from "./provider_engine.ts";

/** Shows the page, or ends the interaction according to its form. */
export async function answerInteraction(
  provider: Engine,
  { request, response, users, logOut }: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly users: readonly string[];
    /** Ends the login of a session. */
    readonly logOut: (uid: string) => void;
  },
): Promise<void> {
  const details = await provider.interactionDetails(request, response).catch(
    () => undefined,
  );
  if (details === undefined) {
    send(response, 400, "<h1>This login is over</h1>");
  } else if (details.prompt.name === "consent") {
    // The page asks for login and consent at once.
    await provider.interactionFinished(request, response, { consent: {} });
  } else if (request.method === "POST") {
    const form = new URLSearchParams(await text(request));
    if (details.session !== undefined) logOut(details.session.uid);
    await provider.interactionFinished(request, response, resultOf(form));
  } else {
    send(response, 200, loginForm(users));
  }
}

function resultOf(form: URLSearchParams): InteractionResult {
  const user = form.get("user");
  return user === null
    ? { error: "access_denied", error_description: "The user refused" }
    : { login: { accountId: user } };
}

function loginForm(users: readonly string[]): string {
  const buttons = users.map((user) =>
    `<button name="user" value="${escapeHtml(user)}">${
      escapeHtml(user)
    }</button>`
  );
  return `<h1>Who are you?</h1>
<p>This stand-in identity provider accepts any answer.</p>
<form method="post">
${buttons.join("\n")}
<button class="quiet" name="deny" value="1">Do not log in</button>
</form>`;
}

function send(response: ServerResponse, status: number, main: string): void {
  response.writeHead(status, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    // No form-action: it would also apply to the redirects that follow the form.
    "Content-Security-Policy":
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  }).end(page("Stand-in identity provider", main));
}
