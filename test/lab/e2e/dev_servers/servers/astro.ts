/** Astro with pages that a server renders: the versions before and since it compares a form's Origin with Host. */
import { form, hotReload, interactive, redirect } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

/** What the documents tell, too. */
const DOMAINS = '[{ hostname: "**.preview.example.com" }]';

function files({ line }: Settings): Record<string, string> {
  return {
    "astro.config.mjs": `import { defineConfig } from "astro/config";
import node from "@astrojs/node";
export default defineConfig({
  output: "server",
  adapter: node({ mode: "standalone" }),
  devToolbar: { enabled: false },
  ${line ? `security: { allowedDomains: ${DOMAINS} },` : ""}
});
`,
    "src/pages/index.astro": `---
const said = Astro.request.method === "POST"
  ? String((await Astro.request.formData()).get("word"))
  : "";
---
<html lang="en"><body>
<h1>Before</h1>
<button id="count">0</button>
<form method="post"><input id="word" name="word"><button id="send">Send</button></form>
<p id="said">{said}</p>
<script>
  let clicks = 0;
  const button = document.querySelector("#count")!;
  button.addEventListener("click", () => button.textContent = String(++clicks));
</script>
</body></html>
`,
    "src/pages/away.astro": `---
return Astro.redirect(new URL("/landed", Astro.url).href);
---
`,
    "src/pages/landed.astro": `<p id="landed">Landed</p>\n`,
  };
}

const COMMON = {
  files,
  command: ({ port }: Settings) => [
    ...["astro", "dev", "--host", "127.0.0.1", "--port", String(port)],
  ],
  warmUp: ["/", "/away", "/landed"],
  checks: [
    interactive(),
    hotReload("src/pages/index.astro"),
    form(),
    redirect(),
  ],
};

export const astro5: DevServer = {
  ...COMMON,
  name: "astro5",
  title: "Astro 5",
  packages: {
    npm: { astro: "5.18.0", "@astrojs/node": "9.5.5" },
    module: true,
  },
};

export const astro: DevServer = {
  ...COMMON,
  name: "astro",
  title: "Astro",
  packages: {
    npm: { astro: "7.3.5", "@astrojs/node": "11.1.6" },
    module: true,
    newNode: true,
  },
  worksInLocal: true,
  line: {
    text: `\`security: { allowedDomains: ${DOMAINS} }\``,
    reason:
      "It compares a form's Origin with Host, and believes X-Forwarded-Host of the domains that are listed.",
  },
};
