/** webpack-dev-server, started by `webpack serve`. */
import { hotReload, interactive } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

const LINE = `client: { webSocketURL: "auto://0.0.0.0:0/ws" }`;

function files({ line }: Settings): Record<string, string> {
  return {
    "webpack.config.js": `module.exports = {
  mode: "development",
  entry: "./src/main.js",
  devServer: { static: "./public", ${line ? LINE : ""} },
};
`,
    "public/index.html": `<!doctype html>
<title>webpack</title>
<h1></h1>
<button id="count">0</button>
<script src="/main.js"></script>
`,
    "src/main.js": `import { words } from "./words.js";
const heading = document.querySelector("h1");
heading.textContent = words;
let clicks = 0;
const button = document.querySelector("#count");
button.onclick = () => button.textContent = String(++clicks);
module.hot.accept("./words.js", () => heading.textContent = words);
`,
    "src/words.js": `export const words = "Before";\n`,
  };
}

export const webpack: DevServer = {
  name: "webpack",
  title: "webpack-dev-server",
  packages: {
    npm: {
      "webpack-dev-server": "5.2.7",
      "webpack": "5.113.0",
      "webpack-cli": "7.3.1",
    },
  },
  files,
  command: ({ port }) => [
    ...["webpack", "serve", "--host", "127.0.0.1", "--port", String(port)],
  ],
  checks: [interactive(), hotReload("src/words.js")],
  line: {
    text: `\`${LINE}\``,
    reason:
      "Its page dials the dev server's own port, which only the configuration of the page can change.",
  },
};
