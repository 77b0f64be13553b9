/** Two apps on ports of this machine: one with a secret, and one that tries to get it. */
import { isAlwaysPrivate } from "../../../../src/address/grammar.ts";
import attempts from "./isolation_attempts.js" with { type: "text" };

/** The secret, which only the victim's responses contain. */
export const SECRET = "the-victims-secret";

/** An app with a secret; disposing of it stops its server. */
export interface VictimApp extends AsyncDisposable {
  readonly port: number;
  /** The methods of the requests received for `/?{mark}`. */
  arrivals(mark: string): readonly string[];
}

/** An app that attacks others; disposing of it stops its server. */
export interface HostileApp extends AsyncDisposable {
  readonly port: number;
  /** All requests received, each as its target and its headers. */
  readonly received: readonly string[];
  /** Headers of future responses. */
  headers: readonly [name: string, value: string][];
}

/** Starts the app with a secret, which every response contains. */
export function startVictimApp(): VictimApp {
  const requests: { readonly method: string; readonly url: URL }[] = [];
  const server = serveOnLoopback((request) => {
    const url = new URL(request.url);
    requests.push({ method: request.method, url });
    if (request.headers.has("upgrade")) return sendInWebSocket(request, SECRET);
    const [type, body] = disguisedSecret(request.headers);
    const headers = new Headers({ "content-type": type });
    const origin = request.headers.get("origin");
    if (url.searchParams.has("generous") && origin !== null) {
      headers.set("access-control-allow-origin", origin);
      headers.set("access-control-allow-credentials", "true");
    }
    return new Response(body, { headers });
  });
  return {
    ...server,
    arrivals: (mark) =>
      requests.filter(({ url }) => url.searchParams.has(mark))
        .map(({ method }) => method),
  };
}

/** Starts the hostile app, whose page defines `attempt(i, url)`. */
export function startHostileApp(): HostileApp {
  const received: string[] = [];
  const server = serveOnLoopback((request) => {
    const { pathname, search } = new URL(request.url);
    const lines = [...request.headers].map((header) => header.join(": "));
    received.push([pathname + search, ...lines].join("\n"));
    if (request.headers.has("upgrade")) {
      return sendInWebSocket(request, "hello");
    }
    const [type, body] = pathname.endsWith(".js")
      ? [JAVASCRIPT, pathname === "/attempts.js" ? attempts : ""]
      : [HTML, PAGE];
    return new Response(body, {
      headers: [["content-type", type], ...app.headers],
    });
  });
  const app: HostileApp = { ...server, received, headers: [] };
  return app;
}

const HTML = "text/html";
const JAVASCRIPT = "text/javascript";

const PAGE = `<!doctype html>
<link rel="icon" href="data:,">
<title>Hostile</title>
<body>
<script type="module">
import { attempts } from "/attempts.js";
// Firefox tells nothing of an embedded document that it blocks.
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 4000));
globalThis.attempt = async (i, url) => {
  try {
    return String(await Promise.race([attempts[i].run(url), aWhile()]));
  } catch (error) {
    return String(error);
  }
};
</script>
`;

/** The secret in the form that is the most useful to the kind of request. */
function disguisedSecret(headers: Headers): [type: string, body: string] {
  switch (headers.get("sec-fetch-dest")) {
    case "script":
    case "serviceworker":
    case "worker":
      return [JAVASCRIPT, `globalThis.stolen = "${SECRET}"`];
    case "style":
      return ["text/css", `:root { --stolen: ${SECRET}; }`];
    case "image":
      return [
        "image/svg+xml",
        `<svg xmlns="http://www.w3.org/2000/svg"><desc>${SECRET}</desc></svg>`,
      ];
  }
  return headers.get("accept") === "text/event-stream"
    ? ["text/event-stream", `data: ${SECRET}\n\n`]
    : [HTML, `<!doctype html><link rel="icon" href="data:,">${SECRET}`];
}

function sendInWebSocket(request: Request, message: string): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => socket.send(message);
  return response;
}

/** A server on a port of 127.0.0.1 that may be anyone's preview; disposing of it waits for the requests under way. */
export function serveOnLoopback(
  handler: Deno.ServeHandler<Deno.NetAddr>,
  tls: { cert?: string; key?: string } = {},
): AsyncDisposable & { readonly port: number } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, ...tls },
    handler,
  );
  const { port } = server.addr;
  if (isAlwaysPrivate(port)) {
    const other = serveOnLoopback(handler, tls); // while this one is held
    void server.shutdown();
    return other;
  }
  return {
    port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
