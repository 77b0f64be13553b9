// deno-lint-ignore-file no-console
/** A runner that answers every request with the same 1 KiB at once, so that the proxy before it is what is measured. */

const BODY = new Uint8Array(1024).fill(0x61);
const HEADERS = { "content-type": "text/plain" };

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, () => new Response(BODY, { headers: HEADERS }));
