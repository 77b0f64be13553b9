/** Go's own reverse proxy. */
import { type Server, startServer } from "./server.ts";

const SOURCE = new URL("servers/reverse_proxy.go", import.meta.url).pathname;

/**
 * Compiles Go's reverse proxy into a temporary directory, which is removed with it, and starts it for a port of 127.0.0.1.
 *
 * @throws {Error} with what the compiler says, or if it does not listen within 10 s.
 */
export async function startGoProxy(
  upstreamPort: number,
  cpus: string | undefined,
): Promise<Server> {
  await using started = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "porthole-bench-" });
  started.defer(() => Deno.remove(directory, { recursive: true }));
  const program = `${directory}/reverse_proxy`;
  const { success, stderr } = await new Deno.Command("go", {
    args: ["build", "-o", program, SOURCE],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { pid, port } = started.use(
    await startServer({
      command: [program, `http://127.0.0.1:${upstreamPort}`],
      cpus,
    }),
  );
  const owned = started.move();
  return { pid, port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
