/** React Router in its framework mode: what Remix has become. */
import { form, hotReload, interactive, redirect } from "../checks.ts";
import type { DevServer, Settings } from "../dev_server.ts";

function files({ origins, line }: Settings): Record<string, string> {
  const hosts = JSON.stringify(
    origins.map((origin) => new URL(origin).host.replace(/^[^.]+/, "**")),
  );
  return {
    "vite.config.js": `import { reactRouter } from "@react-router/dev/vite";
export default { plugins: [reactRouter()] };
`,
    "react-router.config.js": `export default { ${
      line ? `allowedActionOrigins: ${hosts}` : ""
    } };\n`,
    "app/root.jsx": `import { Meta, Outlet, Scripts } from "react-router";
export default function Root() {
  return <html lang="en"><head><Meta /></head><body><Outlet /><Scripts /></body></html>;
}
`,
    "app/routes.js": `import { index, route } from "@react-router/dev/routes";
export default [
  index("home.jsx"), route("away", "away.jsx"), route("landed", "landed.jsx"),
];
`,
    "app/home.jsx": `import { useState } from "react";
import { Form, useActionData } from "react-router";
export async function action({ request }) {
  return { said: String((await request.formData()).get("word")) };
}
export default function Home() {
  const [clicks, setClicks] = useState(0);
  const said = useActionData()?.said;
  return <>
    <h1>Before</h1>
    <button id="count" onClick={() => setClicks(clicks + 1)}>{clicks}</button>
    <Form method="post"><input id="word" name="word" /><button id="send">Send</button></Form>
    <p id="said">{said}</p>
  </>;
}
`,
    "app/away.jsx": `import { redirect } from "react-router";
export function loader({ request }) {
  throw redirect(new URL("/landed", request.url).href);
}
export default () => null;
`,
    "app/landed.jsx": `export default () => <p id="landed">Landed</p>;\n`,
  };
}

export const reactRouter: DevServer = {
  name: "react-router",
  title: "React Router",
  packages: {
    npm: {
      "@react-router/dev": "8.4.0",
      "@react-router/node": "8.4.0",
      "@react-router/serve": "8.4.0",
      "react-router": "8.4.0",
      isbot: "5",
      react: "19.3.1",
      "react-dom": "19.3.1",
      vite: "8.3.8",
    },
    module: true,
    newNode: true,
  },
  files,
  command: ({ port }) => [
    ...["react-router", "dev", "--host", "127.0.0.1", "--strictPort"],
    ...["--port", String(port)],
  ],
  warmUp: ["/", "/away", "/landed"],
  checks: [interactive(), hotReload("app/home.jsx"), form(), redirect()],
  worksInLocal: true,
  line: {
    text: '`allowedActionOrigins: ["**.preview.example.com"]`',
    reason: "It compares an action's Origin with Host alone.",
  },
};
