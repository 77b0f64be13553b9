/** Vite, as its templates configure it: not at all. */
import { hotReload, interactive } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "index.html": `<!doctype html>
<head><title>Vite</title></head>
<h1></h1>
<button id="count">0</button>
<script type="module" src="/src/main.js"></script>
`,
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

export const vite: DevServer = {
  name: "vite",
  title: "Vite",
  packages: { npm: { vite: "8.3.8" } },
  files: () => FILES,
  command: ({ port }) => [
    ...["vite", "--host", "127.0.0.1", "--strictPort", "--port", String(port)],
  ],
  checks: [interactive(), hotReload("src/words.js")],
};
