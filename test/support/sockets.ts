/** How many TCP sockets are open, by the kernel's own account: a leak that no sanitizer sees, where a library holds them. */

/** Counts until it is disposed. */
export interface SocketCounter extends AsyncDisposable {
  /** Sockets that belong to connections from or to these ports of this machine, and those that listen there. */
  count(ports: readonly number[]): Promise<number>;
}

/** Starts a counter, which is another process. Elsewhere than on Linux it always counts 0. */
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
  const asking = child.stdin.getWriter();
  const answers = child.stdout.getReader();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  return {
    async count(ports) {
      await asking.write(encoder.encode(`${ports.join(" ")}\n`));
      const { value } = await answers.read();
      return Number(decoder.decode(value));
    },
    async [Symbol.asyncDispose]() {
      await asking.close();
      await answers.cancel();
      await child.status;
    },
  };
}
