/** A display that nobody sees. */

import { endWithUs } from "./end_with_us.ts";

/** It; disposing of it ends it. */
export interface Display extends AsyncDisposable {
  /** As in DISPLAY. */
  readonly name: string;
}

/**
 * Starts Xvfb, which picks a free number.
 *
 * @throws {Error} if it does not start.
 */
export async function startDisplay(program: string): Promise<Display> {
  const process = new Deno.Command(program, {
    args: [
      "-displayfd",
      "1",
      "-screen",
      "0",
      "1280x1024x24",
      "-nolisten",
      "tcp",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const ending = endWithUs(process.pid);
  const output = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { value, done } = await output.read();
    if (done) throw new Error(`${program} does not start`);
    line += value;
  }
  return {
    name: `:${line.trim()}`,
    async [Symbol.asyncDispose]() {
      await output.cancel();
      process.kill("SIGTERM");
      await process.status;
      ending[Symbol.dispose]();
    },
  };
}
