/** Vite's page on one port, and an Express API on another that lets everybody in. */
import assert from "node:assert/strict";
import { hotReload, interactive } from "../checks.ts";
import type { Check, DevServer, Settings } from "../dev_server.ts";

function files({ port, apiPort }: Settings): Record<string, string> {
  return {
    "start.mjs": `import cors from "cors";
import express from "express";
import { createServer } from "vite";

const api = express();
api.use(cors(), express.json());
api.post("/login", (request, response) =>
  response.cookie("user", request.body.user, { httpOnly: true }).json("done"));
api.get("/who", (request, response) =>
  response.json(/user=(\\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "nobody"));
api.get("/bearer", (request, response) => response.json(request.headers.authorization));
api.get("/away", (_, response) => response.redirect("http://localhost:${port}/landed.html"));
api.listen(${apiPort}, "127.0.0.1");
const server = await createServer({ server: { host: "127.0.0.1", port: ${port}, strictPort: true } });
await server.listen();
`,
    "index.html": `<!doctype html>
<title>Full stack</title>
<h1></h1>
<button id="count">0</button>
<script type="module" src="/src/main.js"></script>
`,
    "landed.html": `<!doctype html><p id="landed">Landed</p>\n`,
    "src/main.js": `import { words } from "./words.js";
const heading = document.querySelector("h1");
heading.textContent = words;
let clicks = 0;
const button = document.querySelector("#count");
button.onclick = () => button.textContent = String(++clicks);
import.meta.hot.accept("./words.js", (next) => heading.textContent = next.words);
`,
    "src/words.js": `export const words = "Before";\n`,
  };
}

/** The page logs in at the API, which knows it by its cookie then, or by a bearer. */
const callsApi: Check = {
  what: "api",
  async run({ page, origin, apiOrigin }) {
    await page.goto(origin);
    async function call(path: string, options: RequestInit): Promise<unknown> {
      return await page.evaluate(
        ([url, init]) => fetch(url, init).then((answer) => answer.json()),
        [
          apiOrigin + path,
          { credentials: "include", ...options },
        ] satisfies [string, RequestInit],
      );
    }
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ user: "alice" });
    await call("/login", { method: "POST", headers, body });
    assert.equal(await call("/who", {}), "alice");
    const authorization = "Bearer of-the-app";
    const bearer = await call("/bearer", { headers: { authorization } });
    assert.equal(bearer, authorization);
  },
};

/** The API redirects to the page, which it knows on localhost. */
const leadsToPage: Check = {
  what: "redirect",
  async run({ page, origin, apiOrigin }) {
    await page.goto(`${apiOrigin}/away`);
    await page.locator("#landed").waitFor();
    assert.equal(new URL(page.url()).origin, origin);
  },
};

export const fullStack: DevServer = {
  name: "full-stack",
  title: "Vite beside an Express API with `cors()`",
  packages: {
    npm: { vite: "8.3.8", express: "5.3.0", cors: "2.8.6" },
    module: true,
  },
  hasApi: true,
  files,
  command: () => ["node", "start.mjs"],
  checks: [interactive(), hotReload("src/words.js"), callsApi, leadsToPage],
};
