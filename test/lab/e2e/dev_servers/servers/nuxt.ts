/** Nuxt, with two routes of its server. */
import { form, hotReload, interactive, redirect } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "nuxt.config.ts":
    `export default defineNuxtConfig({ devtools: { enabled: false }, telemetry: false });\n`,
  "app/app.vue": `<script setup>
const clicks = ref(0);
</script>
<template>
  <h1>Before</h1>
  <button id="count" @click="clicks++">{{ clicks }}</button>
  <form action="/say" method="post"><input id="word" name="word"><button id="send">Send</button></form>
</template>
`,
  "server/routes/say.post.ts":
    `export default defineEventHandler(async (event) => {
  const { word } = await readBody(event);
  setResponseHeader(event, "content-type", "text/html");
  return \`<p id="said">\${word}</p>\`;
});
`,
  "server/routes/away.ts": `export default defineEventHandler((event) =>
  sendRedirect(event, new URL("/landed", getRequestURL(event)).href));
`,
  "server/routes/landed.ts": `export default defineEventHandler((event) => {
  setResponseHeader(event, "content-type", "text/html");
  return '<p id="landed">Landed</p>';
});
`,
};

export const nuxt: DevServer = {
  name: "nuxt",
  title: "Nuxt",
  packages: {
    npm: { nuxt: "4.5.2", vue: "3", "vue-router": "5" },
    module: true,
    newNode: true,
  },
  files: () => FILES,
  command: ({ port }) => [
    ...["nuxt", "dev", "--host", "127.0.0.1", "--port", String(port)],
  ],
  warmUp: ["/", "/away", "/landed"],
  checks: [interactive(), hotReload("app/app.vue"), form(), redirect()],
};
