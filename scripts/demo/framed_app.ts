/** The demo's framed app: a project in a folder, and Vite's dev server for it in a process of its own. */
import { fileURLToPath } from "node:url";
import { isAlwaysPrivate } from "../../src/address/grammar.ts";

const PROGRAM = fileURLToPath(new URL("./vite_app.ts", import.meta.url));

const FILES = {
  "index.html": `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Framed app</title>
<link rel="icon" href="data:,">
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem }</style>
</head>
<h1></h1>
<p>Counted: <output>0</output>. An edit changes the title, and keeps the count.
<p><button id="count">Count</button>
<button id="log">Write to the console</button>
<button id="throw">Throw an error</button>
<button id="fetch">Fetch what is not there</button>
<p><a href="/one">One page</a>, <a href="/two">another</a>,
<a href="#here">a part of this</a>
<script type="module" src="/main.js"></script>
</html>
`,
  "main.js": `import { title } from "./title.js";

const by = (selector) => document.querySelector(selector);
const show = (title) => by("h1").textContent = title;
show(title);
by("#count").onclick = () => by("output").value++;
by("#log").onclick = () => console.log("The count is", by("output").value);
by("#throw").onclick = () => {
  throw new Error("The app has failed");
};
by("#fetch").onclick = () => fetch("http://nowhere.invalid/");
import.meta.hot.accept("./title.js", ({ title }) => show(title));
`,
  "title.js": titleModule("An app in a frame"),
} as const;

function titleModule(title: string): string {
  return `export const title = ${JSON.stringify(title)};\n`;
}

/** The app; disposing of it ends its server, and removes its folder. */
export class FramedApp implements AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly folder: string;
  #server: Deno.ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** Writes it into a new folder below `parent`. */
  static async create(parent: string): Promise<FramedApp> {
    const folder = await Deno.makeTempDir({ dir: parent, prefix: "app-" });
    for (const [name, text] of Object.entries(FILES)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return new FramedApp(folder, freePort());
  }

  /** Saves a file of it, as an editor does. */
  edit(): Promise<void> {
    const time = new Date().toLocaleTimeString("en");
    const text = titleModule(`Edited at ${time}`);
    return Deno.writeTextFile(`${this.folder}/title.js`, text);
  }

  /** Starts its server, which takes a second or more, unless it runs. */
  start(): void {
    this.#server ??= new Deno.Command("deno", {
      args: ["run", "--quiet", "-A", PROGRAM, this.folder, String(this.port)],
      stdin: "piped",
    }).spawn();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stdin.close();
    await server?.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  return isAlwaysPrivate(port) ? freePort() : port; // another, while this one is held
}
