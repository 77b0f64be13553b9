/** A front of gateways: nginx, Caddy or HAProxy, with a folder of its own. */
import { freePort } from "../../support/free_port.ts";
import { startServerProcess } from "../../support/server_process.ts";

/** A running front; disposing of it ends it. */
export interface Front extends AsyncDisposable {
  readonly port: number;
}

/** What it is started by: its configuration is written into `folder`, and it is to listen on `port`. */
export type FrontCommand = (folder: string, port: number) => Promise<string[]>;

const START_TIMEOUT_MS = 30_000;

/** Starts one on a free port. */
export async function startFront(commandOf: FrontCommand): Promise<Front> {
  await using started = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const port = freePort();
  started.use(
    await startServerProcess({
      command: await commandOf(folder, port),
      port,
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      timeoutMs: START_TIMEOUT_MS,
    }),
  );
  const owned = started.move();
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The command of Caddy with sites, which has no other port and logs errors only. */
export async function caddyCommand(
  folder: string,
  sites: string,
  options = "",
): Promise<string[]> {
  const file = `${folder}/Caddyfile`;
  const text = `{
	admin off
	auto_https off
	log {
		level ERROR
	}
${options}}
${sites}`;
  await Deno.writeTextFile(file, text);
  return ["caddy", "run", "--config", file];
}
