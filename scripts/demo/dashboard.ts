/** The stand-in for Daytona's dashboard, which pages of sandboxes that do not run lead to. */
import { escapeHtml } from "../../src/pages/html.ts";
import { page, PAGE_POLICY } from "../../src/pages/page.ts";
import type { ApiState } from "../stand_in/api_state.ts";

/** Serves it on a free port of this machine; disposing of it stops its server. */
export function startDashboard(
  { sandboxes }: Pick<ApiState, "sandboxes">,
): { readonly url: string } & AsyncDisposable {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, () => {
    const states = [...sandboxes.values()].map(({ id, state }) =>
      `<li><code>${escapeHtml(id)}</code> is ${escapeHtml(state)}</li>`
    );
    const html = page(
      "Stand-in dashboard",
      `<h1>Daytona’s dashboard would be here</h1>
<p>There, whoever manages a sandbox can start it, share links and make API keys. The stand-in has these:</p>
<ul>
${states.join("\n")}
</ul>`,
    );
    return new Response(html, {
      headers: {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": PAGE_POLICY,
      },
    });
  });
  return {
    url: `http://daytona.localhost:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
