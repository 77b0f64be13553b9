// deno-lint-ignore-file no-console
/** The baseline: the shortest possible reverse proxy on Deno, for the origin in its argument. */

const [origin = ""] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onError: () => new Response(null, { status: 502 }),
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, (request) => {
  const { method, headers, body, signal } = request;
  const { pathname, search } = new URL(request.url);
  const init = { method, headers, body, signal, redirect: "manual" } as const;
  return fetch(origin + pathname + search, init);
});
