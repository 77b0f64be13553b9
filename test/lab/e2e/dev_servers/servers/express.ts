/** Express with `cors`, which is told the public origins, and a WebSocket server that wants one of them. */
import { form, interactive, redirect, reload, socket } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

function files({ origins }: Settings): Record<string, string> {
  return {
    "server.mjs": `import cors from "cors";
import express from "express";
import { WebSocketServer } from "ws";

const origins = ${JSON.stringify(origins)};
const app = express();
app.use(cors({
  origin(origin, done) {
    const isKnown = origin === undefined || origins.includes(origin);
    done(isKnown ? null : new Error("Not allowed by CORS"), true);
  },
}));
app.use(express.urlencoded({ extended: false }), express.static("public"));
const page = (said) => \`<!doctype html>
<h1>Before</h1>
<button id="count">0</button>
<form method="post"><input id="word" name="word"><button id="send">Send</button></form>
<p id="said">\${said}</p><p id="socket"></p>
<script type="module" src="/main.js"></script>\`;
app.get("/", (request, response) => response.send(page("")));
app.post("/", (request, response) => response.send(page(request.body.word)));
app.get("/away", (request, response) =>
  response.redirect(\`\${request.protocol}://\${request.get("host")}/landed\`));
app.get("/landed", (request, response) => response.send('<p id="landed">Landed</p>'));
const server = app.listen(process.env.PORT, "127.0.0.1");
new WebSocketServer({ server, verifyClient: ({ origin }) => origins.includes(origin) })
  .on("connection", (socket) => socket.on("message", (data) => socket.send(String(data))));
`,
    "public/main.js": `let clicks = 0;
const button = document.querySelector("#count");
button.onclick = () => button.textContent = String(++clicks);
const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
socket.onopen = () => socket.send("echo");
socket.onmessage = ({ data }) => document.querySelector("#socket").textContent = data;
`,
  };
}

export const express: DevServer = {
  name: "express",
  title: "Express with `cors` and `ws`",
  packages: { npm: { express: "5.3.0", cors: "2.8.6", ws: "8.23.0" } },
  files,
  command: () => ["node", "--watch", "server.mjs"],
  checks: [interactive(), reload("server.mjs"), form(), redirect(), socket],
};
