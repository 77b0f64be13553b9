/** Next.js with the app router and Turbopack, as `create-next-app` sets it up. */
import { form, hotReload, interactive, redirect } from "../checks.ts";
import type { DevServer } from "../dev_server.ts";

const FILES = {
  "app/layout.jsx": `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
  "app/page.jsx": `import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { Counter } from "./counter";
export default async function Page() {
  async function say(data) {
    "use server";
    (await cookies()).set("said", String(data.get("word")));
    redirect("/said");
  }
  return <>
    <h1>Before</h1>
    <Counter />
    <form action={say}><input id="word" name="word" /><button id="send">Send</button></form>
  </>;
}
`,
  "app/counter.jsx": `"use client";
import { useState } from "react";
export function Counter() {
  const [clicks, setClicks] = useState(0);
  return <button id="count" onClick={() => setClicks(clicks + 1)}>{clicks}</button>;
}
`,
  "app/said/page.jsx": `import { cookies } from "next/headers";
export default async function Said() {
  return <p id="said">{(await cookies()).get("said")?.value}</p>;
}
`,
  "app/away/route.js": `import { NextResponse } from "next/server";
export function GET(request) {
  return NextResponse.redirect(new URL("/landed", request.url));
}
`,
  "app/landed/page.jsx": `export default function Landed() {
  return <p id="landed">Landed</p>;
}
`,
};

export const next: DevServer = {
  name: "next",
  title: "Next.js",
  packages: { npm: { next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" } },
  files: () => FILES,
  command: ({ port }) => ["next", "dev", "-H", "127.0.0.1", "-p", String(port)],
  warmUp: ["/", "/said", "/away", "/landed"],
  checks: [interactive(), hotReload("app/page.jsx"), form(), redirect()],
};

/** Its own redirects lead to `0.0.0.0` then. */
export const nextAnywhere: DevServer = {
  ...next,
  name: "next-anywhere",
  title: "Next.js with `-H 0.0.0.0`",
  command: ({ port }) => ["next", "dev", "-H", "0.0.0.0", "-p", String(port)],
};
