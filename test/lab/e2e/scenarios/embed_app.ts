/** An app that lets nobody frame it, with a login, a WebSocket, and a policy under which only its own script runs. */
import { serveOnLoopback } from "./isolation_apps.ts";

/** The app; disposing of it stops its server. */
export interface StrictApp extends AsyncDisposable {
  readonly port: number;
  /** The targets of the requests so far. */
  readonly targets: readonly string[];
}

/** What only who is logged in to the app reads. */
export const GREETING = "Welcome back, alice";

const NONCE = "abcdef0123456789";

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "x-frame-options": "DENY",
  "content-security-policy":
    `default-src 'none'; script-src 'nonce-${NONCE}'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'`,
};

/** Starts it. */
export function startStrictApp(): StrictApp {
  const targets: string[] = [];
  const server = serveOnLoopback(async (request) => {
    const { pathname, search } = new URL(request.url);
    targets.push(pathname + search);
    if (request.headers.has("upgrade")) return echo(request);
    if (request.method === "POST") return await logIn(request);
    if (pathname === "/missing") return new Response(null, { status: 404 });
    const isKnown = request.headers.get("cookie") === "user=alice";
    return new Response(page(isKnown), { headers: HEADERS });
  });
  return { ...server, targets };
}

function echo(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

async function logIn(request: Request): Promise<Response> {
  const user = (await request.formData()).get("user");
  return new Response(null, {
    status: 303,
    headers: {
      location: "/",
      "set-cookie": `user=${user}; Path=/; HttpOnly; SameSite=Lax`,
    },
  });
}

function page(isKnown: boolean): string {
  return `<!doctype html>
<html><head>
<link rel="icon" href="data:,">
<title>Strict</title>
</head><body>
<h1>${isKnown ? GREETING : "Who are you?"}</h1>
<form method="post" action="/login"><input name="user"><button id="login">Log in</button></form>
<button id="log">Log</button>
<button id="throw">Throw</button>
<button id="reject">Reject</button>
<button id="fetch">Fetch</button>
<button id="move">Move</button>
<a href="/two?a=1#part">Two</a>
<output></output>
<script nonce="${NONCE}">
const on = (id, act) => document.getElementById(id).onclick = act;
on("log", () => console.log("The count is", { one: 1 }));
on("throw", () => { throw new Error("It has failed"); });
on("reject", () => void Promise.reject(new Error("It was rejected")));
on("fetch", () => fetch("/missing"));
on("move", () => history.pushState(null, "", "/moved?b#c"));
const output = document.querySelector("output");
const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
socket.onopen = () => output.textContent = "open";
socket.onmessage = ({ data }) => output.textContent = data;
socket.onclose = () => output.textContent = "closed";
globalThis.say = (text) => socket.send(text);
</script>
</body></html>`;
}
