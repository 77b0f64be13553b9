/**
 * The number of open TCP sockets according to the kernel, including those held by a library, which no sanitizer sees.
 */

/** A counter of open sockets. */
export interface SocketCounter extends AsyncDisposable {
  /** The number of sockets of connections from or to these ports of this machine, and of those that listen on them. */
  count(ports: readonly number[]): Promise<number>;
}

/** Starts a counter, which is another process; on systems other than Linux, the count is always 0. */
export function startSocketCounter(): SocketCounter {
  if (Deno.build.os !== "linux") {
    return {
      count: () => Promise.resolve(0),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const script = new URL("count_sockets.ts", import.meta.url).pathname;
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-config", "-A", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const questions = child.stdin.getWriter();
  const answers = child.stdout.getReader();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  return {
    async count(ports) {
      await questions.write(encoder.encode(`${ports.join(" ")}\n`));
      const { value } = await answers.read();
      return Number(decoder.decode(value));
    },
    async [Symbol.asyncDispose]() {
      await questions.close();
      await answers.cancel();
      await child.status;
    },
  };
}
