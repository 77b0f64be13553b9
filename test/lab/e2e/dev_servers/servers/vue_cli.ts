/** Vue CLI, which starts webpack-dev-server 4. */
import { hotReload, interactive } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

const LINE = `devServer: { client: { webSocketURL: "auto://0.0.0.0:0/ws" } }`;

function files({ line }: Settings): Record<string, string> {
  return {
    "vue.config.js": `module.exports = { lintOnSave: false, ${
      line ? LINE : ""
    } };
`,
    "public/index.html": `<!doctype html>
<title>Vue CLI</title>
<div id="app"></div>
`,
    "src/main.js": `import { createApp } from "vue";
import App from "./App.vue";
createApp(App).mount("#app");
`,
    "src/App.vue": `<template>
  <h1>Before</h1>
  <button id="count" @click="clicks++">{{ clicks }}</button>
</template>

<script>
export default { data: () => ({ clicks: 0 }) };
</script>
`,
  };
}

export const vueCli: DevServer = {
  name: "vue-cli",
  title: "Vue CLI",
  packages: { npm: { "@vue/cli-service": "5.0.9", "vue": "3.5.45" } },
  files,
  command: ({ port }) => [
    ...["vue-cli-service", "serve", "--host", "127.0.0.1"],
    ...["--port", String(port)],
  ],
  checks: [interactive(), hotReload("src/App.vue")],
  line: {
    text: `\`${LINE}\``,
    reason: "Its page dials the dev server's own address.",
  },
};
