/** Jupyter's notebook: a new notebook is a POST, and its kernel answers through a WebSocket. */
import type { Check, DevServer, Settings } from "../dev_server.ts";

/** The longest that a kernel takes to start on a busy machine, ms. */
const START_MS = 45_000;

function files({ line }: Settings): Record<string, string> {
  return {
    "jupyter_notebook_config.py": `c.NotebookApp.token = ""
c.NotebookApp.open_browser = False
${
      line
        ? `c.NotebookApp.allow_origin_pat = r"https?://.*\\.preview\\.example\\.com(:\\d+)?"`
        : ""
    }
`,
    "start.ipynb": JSON.stringify({
      cells: [{
        cell_type: "code",
        execution_count: null,
        metadata: {},
        outputs: [],
        source: ["print('ec' + 'ho')"],
      }],
      metadata: { kernelspec: { name: "python3", display_name: "Python 3" } },
      nbformat: 4,
      nbformat_minor: 4,
    }),
  };
}

const tree: Check = {
  what: "page",
  async run({ page, origin }) {
    await page.goto(`${origin}/tree`);
    await page.getByRole("link", { name: "start.ipynb" }).waitFor();
  },
};

const newNotebook: Check = {
  what: "form",
  async run({ page, origin, context }) {
    await page.goto(`${origin}/tree`);
    await page.getByRole("link", { name: "start.ipynb" }).waitFor();
    await page.locator("#new-dropdown-button").click();
    const [opened] = await Promise.all([
      context.waitForEvent("page"),
      page.locator("#kernel-python3 a").click(),
    ]);
    await opened.waitForURL(/\/notebooks\/Untitled/);
    await opened.close();
  },
};

const kernel: Check = {
  what: "socket",
  async run({ page, origin }) {
    await page.goto(`${origin}/notebooks/start.ipynb`);
    await page.locator("#kernel_indicator_icon.kernel_idle_icon")
      .waitFor({ timeout: START_MS });
    await page.locator(".code_cell").first().click();
    await page.keyboard.press("Control+Enter");
    await page.locator(".output_stdout", { hasText: "echo" }).waitFor();
  },
};

export const jupyter: DevServer = {
  name: "jupyter",
  title: "Jupyter Notebook",
  packages: { debian: ["jupyter-notebook", "python3-ipykernel"] },
  files,
  command: ({ port }) => [
    ...["/usr/bin/python3", "/usr/bin/jupyter-notebook", "--allow-root"],
    ...["--config=jupyter_notebook_config.py", "--ip=127.0.0.1"],
    ...["--port", String(port), "--ServerApp.port_retries=0"],
  ],
  warmUp: ["/tree"],
  checks: [tree, newNotebook, kernel],
  worksInLocal: true,
  line: {
    text:
      '`c.NotebookApp.allow_origin_pat = r"https://.*\\.preview\\.example\\.com"`',
    reason: "It compares a POST's Origin with Host alone.",
  },
};
