/** A dev server that runs: a process with children, which end with it. */
import { setTimeout as delay } from "node:timers/promises";
import { untilListening } from "../../../support/server_process.ts";
import type { DevServer, Settings } from "./dev_server.ts";
import { environment, type Installed } from "./packages.ts";

/** No dev server opens a browser, asks a question, or tells its authors that it was started. */
const QUIET = {
  BROWSER: "none",
  NO_COLOR: "1",
  DO_NOT_TRACK: "1",
  ASTRO_TELEMETRY_DISABLED: "1",
  NEXT_TELEMETRY_DISABLED: "1",
  NG_CLI_ANALYTICS: "false",
  NUXT_TELEMETRY_DISABLED: "1",
  PARCEL_WORKERS: "1",
  STORYBOOK_DISABLE_TELEMETRY: "1",
};

/** The time until a dev server listens, and until it has compiled a page, on a busy machine, ms. */
const START_TIMEOUT_MS = 90_000;

/** What a dev server has printed last is part of what is wrong with it, characters. */
const QUOTED = 2000;

/** The process groups that run: nothing ends them if this process is ended by a signal. */
const groups = new Set<number>();

let isOver = false;

/** Ends all dev servers at once, and lets none start any more. */
export function endDevServers(): void {
  isOver = true;
  for (const group of groups) endGroup(group);
}

function endGroup(group: number): void {
  try {
    Deno.kill(-group, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has ended
  }
}

/** Disposing of it ends the dev server and its children. */
export interface DevProcess extends AsyncDisposable {
  /** The end of what it has printed. */
  output(): string;
}

/**
 * Starts a dev server in its project's folder, and waits until it has answered.
 *
 * @throws {Error} with its output, if it does not.
 */
export async function startDevServer(
  { command, env, warmUp = ["/"] }: DevServer,
  { folder, path }: Installed,
  settings: Settings,
): Promise<DevProcess> {
  if (isOver) throw new Error("No dev server starts any more");
  const { port } = settings;
  const [program = "", ...args] = command(settings);
  const child = new Deno.Command(program, {
    args,
    cwd: folder,
    clearEnv: true,
    env: { ...environment(path), ...QUIET, PORT: String(port), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true, // a process group, by which its children can be ended
  }).spawn();
  groups.add(child.pid);
  let printed = "";
  const readers = [child.stdout, child.stderr].map((stream) =>
    stream.pipeThrough(new TextDecoderStream()).getReader()
  );
  for (const reader of readers) {
    read(reader, (text) => printed = (printed + text).slice(-QUOTED));
  }
  async function end(): Promise<void> {
    endGroup(child.pid);
    groups.delete(child.pid);
    await child.status;
    // A child that has left the group may keep its end open.
    for (const reader of readers) await reader.cancel();
  }
  const limit = AbortSignal.timeout(START_TIMEOUT_MS);
  const exit = new AbortController();
  child.status.then(() => exit.abort(new Error("It has exited")));
  const signal = AbortSignal.any([limit, exit.signal]);
  try {
    await untilListening(port, signal);
    for (const target of warmUp) {
      await untilAnswered(`http://127.0.0.1:${port}${target}`, signal);
    }
  } catch (cause) {
    await end();
    throw new Error(`It does not start: ${printed}`, { cause });
  }
  return { output: () => printed, [Symbol.asyncDispose]: end };
}

/** Asks until the answer is not a dev server's word that it is still compiling. */
async function untilAnswered(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(url, { signal, redirect: "manual" })
      .catch(() => undefined);
    await response?.body?.cancel();
    if (response !== undefined && response.status < 500) return;
    signal.throwIfAborted();
    await delay(200);
  }
}

async function read(
  reader: ReadableStreamDefaultReader<string>,
  onText: (text: string) => void,
): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onText(value);
  }
}
