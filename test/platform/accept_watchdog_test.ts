import assert from "node:assert/strict";
import { watchAccepting } from "../../src/platform/accept_watchdog.ts";
import { stillNeeded } from "./canary.ts";

/** Longer than any of these tests, ms. */
const LONG_MS = 60_000;

/** A fake server, checked every 2 ms. */
function watched(probe: (accept: () => void) => Promise<void>) {
  let accept = () => {};
  let probes = 0;
  const enough = Promise.withResolvers<void>();
  const watch = watchAccepting({
    onAccept(callback) {
      accept = callback;
    },
    probe() {
      if (++probes === 5) enough.resolve();
      return probe(accept);
    },
    checkIntervalMs: 2,
  });
  // The watch does not keep the process alive.
  const alive = setInterval(() => {}, LONG_MS);
  return {
    failed: watch.failed,
    enough: enough.promise,
    [Symbol.dispose]() {
      clearInterval(alive);
      watch.stop();
    },
  };
}

Deno.test("watchAccepting() fails after two probes that the server did not accept", async () => {
  using server = watched(() => Promise.resolve());
  await assert.rejects(server.failed, /Cannot accept connections/);
});

Deno.test("watchAccepting() fails after two probes that never connect", async () => {
  using server = watched(() => new Promise(() => {}));
  await assert.rejects(server.failed, /Cannot accept connections/);
});

Deno.test("watchAccepting() does not fail while the server accepts its probes", async () => {
  using server = watched((accept) => {
    accept();
    return Promise.resolve();
  });
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() does not count a probe that could not be sent", async () => {
  using server = watched(() =>
    Promise.reject(new Error("Too many open files"))
  );
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() starts counting again once the server accepts a connection", async () => {
  let knocks = 0;
  using server = watched((accept) => {
    if (++knocks % 2 === 0) accept();
    return Promise.resolve();
  });
  await Promise.race([server.enough, server.failed]);
});

Deno.test("watchAccepting() aborts a probe that is still connecting at the next check", async () => {
  const { promise: givenUp, resolve } = Promise.withResolvers<void>();
  const alive = setInterval(() => {}, LONG_MS);
  const watch = watchAccepting({
    onAccept() {},
    probe(signal) {
      signal.addEventListener("abort", () => resolve());
      return new Promise(() => {});
    },
    checkIntervalMs: 2,
  });
  await Promise.race([givenUp, watch.failed]);
  watch.stop();
  clearInterval(alive);
});

/** More connections than the server below has file descriptors (see few_descriptors.ts). */
const TOO_MANY = 100;

/** Listens, and says how many connections it has accepted for each line that it is sent. */
const SERVER = `
  import { createServer } from "node:net";
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    socket.on("error", () => {});
  });
  server.on("error", () => Deno.exit(1));
  server.listen(0, "127.0.0.1", async () => {
    console.log(server.address().port);
    for await (const _ of Deno.stdin.readable) console.log(accepted);
  });
`;

Deno.test({
  name:
    "canary: a node:net server that has run out of descriptors never accepts again",
  ignore: Deno.build.os !== "linux", // which few_descriptors.ts is for
  async fn() {
    const child = new Deno.Command("deno", {
      args: [
        ...["run", "--no-config", "--quiet", "-A"],
        `--preload=${import.meta.dirname}/../support/few_descriptors.ts`,
        `data:text/javascript,${encodeURIComponent(SERVER)}`,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const input = child.stdin.getWriter();
    const output = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    async function answer(): Promise<number> {
      return Number((await output.read()).value);
    }
    async function accepted(): Promise<number> {
      await input.write(new Uint8Array(1));
      return await answer();
    }
    const port = await answer();
    async function connect(count: number): Promise<void> {
      const connecting = Array.from(
        { length: count },
        () => Deno.connect({ hostname: "127.0.0.1", port }),
      );
      for (const client of await Promise.all(connecting)) client.close();
    }
    await connect(TOO_MANY);
    const before = await settled(accepted);
    await connect(1);
    const after = await settled(accepted);
    await input.close();
    child.kill();
    await output.cancel();
    const { code } = await child.status;
    stillNeeded(code !== 1 && before < TOO_MANY && after === before, {
      mended: "the accept loop of node:net",
      remove: "src/platform/accept_watchdog.ts",
    });
  },
});

/** The count, once it has not changed for a while. */
async function settled(count: () => Promise<number>): Promise<number> {
  for (let last = -1;;) {
    const now = await count();
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
