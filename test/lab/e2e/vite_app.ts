/** A small project in a temporary folder, served by Vite's real dev server. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createServer, type ViteDevServer } from "vite";

/** A project under development; disposing of it stops the server and removes the folder. */
export interface ViteApp extends AsyncDisposable {
  /** The server's port on 127.0.0.1. */
  readonly port: number;
  /** Saves a file of the project, as an editor does. */
  save(file: string, text: string): Promise<void>;
  /** Stops the server and starts another one on the same port. */
  restart(): Promise<void>;
}

/** Writes the project's files, by name, and starts the server on a free port. */
export async function startViteApp(
  files: Readonly<Record<string, string>>,
): Promise<ViteApp> {
  await using started = new AsyncDisposableStack();
  const root = await Deno.makeTempDir({ prefix: "porthole-e2e-" });
  started.defer(() => Deno.remove(root, { recursive: true }));
  function save(file: string, text: string): Promise<void> {
    return Deno.writeTextFile(join(root, file), text);
  }
  for (const [file, text] of Object.entries(files)) await save(file, text);

  let server = await serve(root, 0);
  started.defer(() => server.close());
  const address = server.httpServer?.address();
  assert.ok(typeof address === "object" && address !== null);
  const { port } = address;

  const owned = started.move();
  return {
    port,
    save,
    async restart() {
      await server.close();
      server = await serve(root, port);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts Vite with the configuration of a new project, confined to its folder and loopback. */
async function serve(root: string, port: number): Promise<ViteDevServer> {
  const server = await createServer({
    root,
    configFile: false,
    cacheDir: join(root, ".vite"),
    logLevel: "error",
    server: { host: "127.0.0.1", port, strictPort: true },
  });
  return await server.listen();
}
