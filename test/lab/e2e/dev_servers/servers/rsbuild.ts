/** Rsbuild, whose hot reload has a socket and a client of its own. */
import { hotReload, interactive } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "rsbuild.config.mjs": `export default {
  source: { entry: { index: "./src/main.js" } },
  html: { template: "./index.html" },
};
`,
  "index.html": `<!doctype html>
<title>Rsbuild</title>
<h1></h1>
<button id="count">0</button>
`,
  "src/main.js": `import { words } from "./words.js";
document.querySelector("h1").textContent = words;
let clicks = 0;
const button = document.querySelector("#count");
button.onclick = () => button.textContent = String(++clicks);
`,
  "src/words.js": `export const words = "Before";\n`,
};

export const rsbuild: DevServer = {
  name: "rsbuild",
  title: "Rsbuild",
  packages: { npm: { "@rsbuild/core": "2.3.2" }, newNode: true },
  files: () => FILES,
  command: ({ port }) => [
    ...["rsbuild", "dev", "--host", "127.0.0.1", "--port", String(port)],
  ],
  checks: [interactive(), hotReload("src/words.js")],
};
