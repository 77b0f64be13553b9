/** code-server: an editor whose whole workbench talks to its server through WebSockets. */
import { join } from "node:path";
import { cacheFolder } from "../packages.ts";
import type { Check, DevServer } from "../dev_server.ts";

const FOLDER = join(cacheFolder(), "code-server", "project");
const TARGET = `/?folder=${FOLDER}`;

const workbench: Check = {
  what: "page",
  async run({ page, origin }) {
    await page.goto(origin + TARGET);
    await page.locator(".monaco-workbench").waitFor();
  },
};

/** Folders and files are read through the WebSocket. */
const openFile: Check = {
  what: "socket",
  async run({ page, origin }) {
    await page.goto(origin + TARGET);
    await page.getByRole("treeitem", { name: "words.txt" }).dblclick();
    await page.locator(".view-line", { hasText: "Before" }).waitFor();
  },
};

export const codeServer: DevServer = {
  name: "code-server",
  title: "code-server",
  packages: {
    npm: { "code-server": "4.139.1" },
    // Its native modules are not built, so it has no terminal, and does not watch files.
    within: ["node_modules/code-server/lib/vscode"],
    newNode: true,
  },
  files: () => ({
    "project/words.txt": "Before\n",
    "project/.vscode/settings.json": JSON.stringify({
      "security.workspace.trust.enabled": false,
      "workbench.startupEditor": "none",
    }),
  }),
  command: ({ port }) => [
    ...["code-server", "--auth", "none", "--disable-telemetry"],
    ...["--disable-update-check", "--disable-workspace-trust"],
    ...["--bind-addr", `127.0.0.1:${port}`],
    ...["--user-data-dir", "./user", "--extensions-dir", "./extensions"],
    ...["--config", "./config.yaml"],
    FOLDER,
  ],
  checks: [workbench, openFile],
};
