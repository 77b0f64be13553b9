// deno-lint-ignore-file no-console
/** The shortest possible preview proxy in front of a hosted Daytona, at the origin in its argument, with a token. */
import { CA } from "../../../support/certificates.ts";

const [origin = ""] = Deno.args;
const client = Deno.createHttpClient({ caCerts: [CA], http2: false });

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onError: () => new Response(null, { status: 502 }),
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, (request) => {
  const { method, body, signal } = request;
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.set("x-daytona-preview-token", "locked-token");
  headers.set("x-daytona-skip-preview-warning", "true");
  headers.set("x-daytona-disable-cors", "true");
  const init = { method, headers, body, signal, client } as const;
  return fetch(origin + pathname + search, { ...init, redirect: "manual" });
});
