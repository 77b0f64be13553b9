/** Vite's page on one port, and an API on another that lets everybody in. */
import assert from "node:assert/strict";
import { hotReload, interactive } from "../checks.ts";
import type { Check, DevServer, Settings } from "../dev_server.ts";

const PAGE = {
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

function startVite(port: number): string {
  return `const server = await createServer({ server: { host: "127.0.0.1", port: ${port}, strictPort: true } });
await server.listen();
`;
}

function besideExpress({ port, apiPort }: Settings): Record<string, string> {
  return {
    ...PAGE,
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
${startVite(port)}`,
  };
}

/** As FastAPI's tutorial lets everybody in, and with cookies. */
function besideFastapi({ port, apiPort }: Settings): Record<string, string> {
  return {
    ...PAGE,
    "api.py": `from fastapi import Body, Cookie, FastAPI, Header, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)

@app.post("/login")
def login(response: Response, user: str = Body(embed=True)):
    response.set_cookie("user", user, httponly=True)
    return "done"

@app.get("/who")
def who(user: str = Cookie("nobody")):
    return user

@app.get("/bearer")
def bearer(authorization: str = Header()):
    return authorization

@app.get("/away")
def away():
    return RedirectResponse("http://localhost:${port}/landed.html", 302)
`,
    "start.mjs": `import { spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { createServer } from "vite";

const args = ["-m", "uvicorn", "api:app", "--host", "127.0.0.1", "--port", "${apiPort}"];
spawn("/usr/bin/python3", args, { stdio: "inherit" });
while (!await fetch("http://127.0.0.1:${apiPort}/who").catch(() => false)) await setTimeout(100);
${startVite(port)}`,
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
  files: besideExpress,
  command: () => ["node", "start.mjs"],
  checks: [interactive(), hotReload("src/words.js"), callsApi, leadsToPage],
};

export const fullStackFastapi: DevServer = {
  ...fullStack,
  name: "full-stack-fastapi",
  title: "Vite beside FastAPI with `CORSMiddleware`",
  packages: {
    npm: { vite: "8.3.8" },
    debian: ["python3-fastapi", "python3-uvicorn"],
    module: true,
  },
  files: besideFastapi,
};
