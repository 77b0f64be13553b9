// deno-lint-ignore-file no-console
/** The app behind the scenarios of page loads: the files of a page with the headers of Vite's dev server, and WebSockets. */
import { pageFiles } from "../dev_page.ts";

const files = pageFiles();

/** Everything below the root of the app, whatever prefix the runner's URL has. */
const FILE = /\/(?:[\w-]+\.(?:js|bmp)|socket)?$/;

function echo(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 0,
  });
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  automaticCompression: false,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, (request) => {
  const path = FILE.exec(request.url)?.[0] ?? "";
  if (path === "/socket") return echo(request);
  const file = files.get(path);
  if (file === undefined) return new Response(null, { status: 404 });
  return new Response(file.body, {
    headers: {
      "content-type": file.type,
      "cache-control": "no-cache",
      etag: `W/"${file.body.length.toString(16)}"`,
      vary: "Origin",
    },
  });
});
