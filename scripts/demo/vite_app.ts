/**
 * `deno run -A scripts/demo/vite_app.ts FOLDER PORT`: serves the demo's framed app by Vite until standard input ends. A
 * process of its own, since Vite may do everything, and the demo little.
 */
import { createServer } from "vite";

const [root = "", port] = Deno.args;
const server = await createServer({
  root,
  configFile: false,
  cacheDir: `${root}/.vite`,
  logLevel: "error",
  server: { host: "127.0.0.1", port: Number(port), strictPort: true },
});
await server.listen();
await Deno.stdin.readable.pipeTo(new WritableStream());
await server.close();
Deno.exit();
