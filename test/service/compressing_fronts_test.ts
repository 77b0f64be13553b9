/** What docs/run/tls.md says of fronts that compress: each with its lines, before a gateway and an app. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import { gunzipSync } from "node:zlib";
import { WebSocket, WebSocketServer } from "ws";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { freePort } from "../support/free_port.ts";
import { BASE, startGateway } from "../support/gateway.ts";
import { testsThatNeed } from "../support/needs_program.ts";
import { nginxCommand } from "../support/nginx.ts";
import { send } from "../support/send.ts";
import { startServerProcess } from "../support/server_process.ts";

const ROOT = new URL("../../", import.meta.url);

function textOf(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

const PAGE = await textOf("docs/run/tls.md");

/** The last block of a language on the page. */
function blockOf(language: string, text = PAGE): string {
  const block = new RegExp(`\n\`\`\`${language}\n(.*?)\`\`\`\n`, "gs");
  const [, lines] = [...text.matchAll(block)].at(-1) ?? [];
  return lines ?? assert.fail(language);
}

/** The configuration of nginx, without compression. */
const NGINX = blockOf("nginx", PAGE.split("## Compression")[0]);

/** Replaces each text by the other one; fails if it is not there. */
function changed(text: string, changes: readonly [string, string][]): string {
  return changes.reduce((result, [from, to]) => {
    assert(result.includes(from), from);
    return result.replace(from, to);
  }, text);
}

interface Way {
  readonly folder: string;
  readonly port: number;
  readonly gateway: number;
}

const FRONTS = {
  async caddy({ folder, port, gateway }: Way): Promise<string[]> {
    const file = await textOf("scripts/deploy/Caddyfile");
    const [snippet = ""] = /^\(gateway\) \{.*?^\}$/ms.exec(file) ?? [];
    const proxying = changed(snippet, [
      ["(gateway) {", `(gateway) {\n${blockOf("caddyfile")}`],
      [" 127.0.0.1:4000 ", ` 127.0.0.1:${gateway} `],
    ]);
    await Deno.writeTextFile(
      `${folder}/Caddyfile`,
      `{
	admin off
	auto_https off
}
${proxying}
http://:${port} {
	bind 127.0.0.1
	import gateway
}
`,
    );
    return ["caddy", "run", "--config", `${folder}/Caddyfile`];
  },

  async nginx({ folder, port, gateway }: Way): Promise<string[]> {
    const http = changed(NGINX, [
      ["listen 443 ssl;", `listen 127.0.0.1:${port};`],
      ["http2 on;", "#"],
      ["ssl_certificate ", "# "],
      ["ssl_certificate_key ", "# "],
      ["server 127.0.0.1:4000 ", `server 127.0.0.1:${gateway} `],
      ["location / {", `location / {\n${blockOf("nginx")}`],
    ]);
    return await nginxCommand(folder, http);
  },

  async haproxy({ folder, port, gateway }: Way): Promise<string[]> {
    const sample = await textOf("scripts/deploy/haproxy.cfg");
    const file = `${folder}/haproxy.cfg`;
    await Deno.writeTextFile(
      file,
      changed(sample, [
        [
          "bind :443 ssl crt /etc/tls/porthole.pem alpn h2,http/1.1",
          `bind 127.0.0.1:${port}`,
        ],
        ["backend gateways", `backend gateways\n${blockOf("haproxy")}`],
        ["server gateway-1 127.0.0.1:4001", `server one 127.0.0.1:${gateway}`],
        ["server gateway-2 127.0.0.1:4002", ""],
      ]),
    );
    return ["haproxy", "-db", "-f", file];
  },
};

const SCRIPT = "export const answer = 42;\n".repeat(1000);
const HOST = `8000-demo.${BASE}`;

/** The app: a script for its type, and a stream of events whose next one is sent when the test says so. */
function createApp() {
  let response: ServerResponse | undefined;
  const server = createServer((message, answer) => {
    const type = message.url?.slice(1) ?? "";
    answer.writeHead(200, { "content-type": type, etag: '"a"' });
    if (type === "text/event-stream") {
      response = answer;
      answer.write("data: first\n\n");
    } else answer.end(SCRIPT);
  });
  new WebSocketServer({ server }).on("connection", (socket: WebSocket) => {
    socket.on("message", (data: unknown) => socket.send(String(data)));
  });
  return { server, sendNext: () => response?.write("data: next\n\n") };
}

for (const program of ["caddy", "nginx", "haproxy"] as const) {
  const test = await testsThatNeed(program);

  test(`${program} with the lines of the page compresses scripts, and holds back no event and no message`, async () => {
    await using gateway = await startGateway({ TRUSTED_PROXIES: "127.0.0.1" });
    const app = createApp();
    await using listening = await listenOnLoopback(app.server);
    const container = gateway.stack.runner.containers.get("demo");
    container?.ports.set(8000, listening.port);
    await Deno.mkdir("data/test", { recursive: true });
    const folder = await Deno.makeTempDir({ dir: `${Deno.cwd()}/data/test` });
    await using started = new AsyncDisposableStack();
    started.defer(() => Deno.remove(folder, { recursive: true }));
    const port = freePort();
    started.use(
      await startServerProcess({
        command: await FRONTS[program]({ folder, port, gateway: gateway.port }),
        env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
        port,
        onErrorLine() {},
        timeoutMs: 30_000,
      }),
    );

    const headers = { "accept-encoding": "gzip" };
    for (const type of ["text/javascript", "text/css"]) {
      const answer = await send(HOST, { port, path: `/${type}`, headers });
      assert.equal(answer.headers.get("content-encoding"), "gzip", type);
      assert.match(answer.headers.get("vary") ?? "", /Accept-Encoding/i);
      const etag = program === "caddy" ? '"a"' : 'W/"a"';
      assert.equal(answer.headers.get("etag"), etag);
      assert.equal(gunzipSync(answer.bytes).toString(), SCRIPT);
    }
    for (const type of ["application/json", "image/png"]) {
      const answer = await send(HOST, { port, path: `/${type}`, headers });
      assert.equal(answer.headers.get("content-encoding"), null, type);
    }
    const page = await send(HOST, { port, path: "/text/html", headers });
    const coding = program === "nginx" ? "gzip" : null;
    assert.equal(page.headers.get("content-encoding"), coding);

    const asked = request({
      host: "127.0.0.1",
      port,
      path: "/text/event-stream",
      headers: { ...headers, host: HOST },
    });
    asked.end();
    const [events] = await once(asked, "response") as [IncomingMessage];
    assert.equal(events.headers["content-encoding"], undefined);
    assert.equal(String(await once(events, "data")), "data: first\n\n");
    app.sendNext();
    assert.equal(String(await once(events, "data")), "data: next\n\n");
    asked.destroy();

    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
      headers: { host: HOST },
    });
    await once(socket, "open");
    for (const text of ["update", "reload"]) {
      socket.send(text);
      const [echoed] = await once(socket, "message");
      assert.equal(String(echoed), text);
    }
    socket.close();
    await once(socket, "close");
  });
}
