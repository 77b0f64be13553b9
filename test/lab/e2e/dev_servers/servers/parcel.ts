/** Parcel, without a configuration. It has no `--host` either: with one, its page dials that host instead of its own. */
import { hotReload, interactive } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "index.html": `<!doctype html>
<title>Parcel</title>
<h1></h1>
<button id="count">0</button>
<script type="module" src="main.js"></script>
`,
  "main.js": `import { words } from "./words.js";
document.querySelector("h1").textContent = words;
let clicks = 0;
const button = document.querySelector("#count");
button.onclick = () => button.textContent = String(++clicks);
`,
  "words.js": `export const words = "Before";\n`,
};

export const parcel: DevServer = {
  name: "parcel",
  title: "Parcel",
  packages: { npm: { parcel: "2.16.4" }, scripts: true },
  files: () => FILES,
  command: ({ port }) => [
    ...["parcel", "serve", "index.html", "--no-cache", "--port", String(port)],
  ],
  checks: [interactive(), hotReload("words.js")],
};
