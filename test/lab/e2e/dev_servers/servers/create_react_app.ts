/** Create React App, whose webpack-dev-server is set by variables of the environment. */
import { hotReload, interactive } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

const LINE = "WDS_SOCKET_HOST=0.0.0.0 WDS_SOCKET_PORT=0";

function files({ port, line }: Settings): Record<string, string> {
  return {
    ".env": `HOST=127.0.0.1\nPORT=${port}\n${
      line ? LINE.replace(" ", "\n") : ""
    }\n`,
    "public/index.html": `<!doctype html>
<title>Create React App</title>
<div id="root"></div>
`,
    "src/index.js": `import { createRoot } from "react-dom/client";
import App from "./App";
createRoot(document.getElementById("root")).render(<App />);
`,
    "src/App.js": `import { useState } from "react";
import { words } from "./words";

export default function App() {
  const [clicks, setClicks] = useState(0);
  return <>
    <h1>{words}</h1>
    <button id="count" onClick={() => setClicks(clicks + 1)}>{clicks}</button>
  </>;
}
`,
    "src/words.js": `export const words = "Before";\n`,
  };
}

export const createReactApp: DevServer = {
  name: "create-react-app",
  title: "Create React App",
  packages: {
    npm: {
      "react-scripts": "5.0.1",
      "react": "18.3.1",
      "react-dom": "18.3.1",
    },
  },
  files,
  command: () => ["react-scripts", "start"],
  env: { CI: "true" }, // otherwise it ends with its standard input
  checks: [interactive(), hotReload("src/words.js")],
  line: {
    text: `\`${LINE}\``,
    reason:
      "Its page dials the host and port that the dev server listens on; the first is not needed where that is every host.",
  },
};
