/** Storybook with Vite: its stories, its hot reload, and the channel between its server and its page. */
import assert from "node:assert/strict";
import { hotReload, interactive } from "../checks.ts";
import type { Check, DevServer, Settings } from "../dev_server.ts";

const STORY = "/iframe.html?id=counter--counter&viewMode=story";

const LINE =
  "viteFinal: (config) => { delete config.server.hmr.port; return config; }";

function files({ line }: Settings): Record<string, string> {
  return {
    ".storybook/main.js": `export default {
  stories: ["../src/*.stories.js"],
  framework: "@storybook/html-vite",
  core: { disableTelemetry: true, disableWhatsNewNotifications: true },
  ${line ? LINE : ""}
};
`,
    "src/counter.stories.js": `export default { title: "Counter" };
export const Counter = {
  render() {
    const story = document.createElement("div");
    story.innerHTML = "<h1>Before</h1><button id='count'>0</button>";
    let clicks = 0;
    const button = story.querySelector("#count");
    button.onclick = () => button.textContent = String(++clicks);
    return story;
  },
};
`,
  };
}

const channel: Check = {
  what: "socket",
  async run({ page, origin }) {
    const [socket] = await Promise.all([
      page.waitForEvent("websocket", {
        predicate: (socket) => /server-channel/.test(socket.url()),
      }),
      page.goto(origin),
    ]);
    await socket.waitForEvent("framereceived", { timeout: 20_000 });
    assert.ok(!socket.isClosed());
  },
};

export const storybook: DevServer = {
  name: "storybook",
  title: "Storybook",
  packages: {
    npm: {
      storybook: "10.6.7",
      "@storybook/html-vite": "10.6.0",
      vite: "8.3.8",
    },
    module: true,
    newNode: true,
  },
  files,
  command: ({ port }) => [
    ...["storybook", "dev", "--ci", "--host", "127.0.0.1", "--exact-port"],
    ...["--port", String(port)],
  ],
  warmUp: ["/", STORY],
  checks: [
    interactive(STORY),
    hotReload("src/counter.stories.js", STORY),
    channel,
  ],
  line: {
    text: `\`${LINE}\``,
    reason: "Its page dials Storybook's own port for hot reload.",
  },
};
