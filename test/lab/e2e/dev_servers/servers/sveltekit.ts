/** SvelteKit, with a form action. */
import { form, hotReload, interactive, redirect } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "vite.config.js": `import { sveltekit } from "@sveltejs/kit/vite";
export default { plugins: [sveltekit()] };
`,
  "src/app.html": `<!doctype html>
<html lang="en"><head>%sveltekit.head%</head>
<body data-sveltekit-preload-data="off"><div>%sveltekit.body%</div></body></html>
`,
  "src/routes/+page.svelte": `<script>
  let { form } = $props();
  let clicks = $state(0);
</script>
<h1>Before</h1>
<button id="count" onclick={() => clicks++}>{clicks}</button>
<form method="post"><input id="word" name="word"><button id="send">Send</button></form>
<p id="said">{form?.said ?? ""}</p>
`,
  "src/routes/+page.server.js": `export const actions = {
  default: async ({ request }) => ({ said: String((await request.formData()).get("word")) }),
};
`,
  "src/routes/away/+server.js": `import { redirect } from "@sveltejs/kit";
export function GET({ url }) {
  redirect(302, new URL("/landed", url).href);
}
`,
  "src/routes/landed/+page.svelte": `<p id="landed">Landed</p>\n`,
};

export const sveltekit: DevServer = {
  name: "sveltekit",
  title: "SvelteKit",
  packages: {
    npm: {
      "@sveltejs/kit": "3.2.0",
      "@sveltejs/vite-plugin-svelte": "7.3.1",
      svelte: "5.57.3",
      vite: "8.3.8",
      typescript: "~6.0",
    },
    module: true,
    newNode: true,
  },
  files: () => FILES,
  command: ({ port }) => [
    ...["vite", "dev", "--host", "127.0.0.1", "--strictPort"],
    ...["--port", String(port)],
  ],
  warmUp: ["/", "/away", "/landed"],
  checks: [
    interactive(),
    hotReload("src/routes/+page.svelte"),
    form(),
    redirect(),
  ],
};
