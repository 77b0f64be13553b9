import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { watchAccepting } from "../../../../src/downstream/tls/accept_watchdog.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { stillNeeded } from "../../platform/canary.ts";

/** Time between two checks, ms. */
const INTERVAL_MS = 2000;

/** A fake server that is watched, on a clock of its own. */
function watched(
  probe: (accept: () => void, signal: AbortSignal) => Promise<void>,
  tries?: number,
) {
  const clock = fakeClock();
  let failure: unknown;
  const watch = watchAccepting(
    (signal) => probe(() => watch.onAccept(), signal),
    tries,
  );
  watch.failed.catch((reason) => failure = reason);
  return {
    /** Lets so many checks happen; resolves with why the watch has failed. */
    async check(times: number): Promise<unknown> {
      while (times-- > 0) {
        clock.pass(INTERVAL_MS);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return failure;
    },
    [Symbol.dispose]() {
      watch.stop();
      clock[Symbol.dispose]();
    },
  };
}

/** Checks until the first probe, and then for two probes that the server did not accept. */
const UNTIL_FAILED = 4;

for (
  const [how, probe] of [
    ["that the server did not accept", () => Promise.resolve()],
    ["that never connect", () => new Promise<void>(() => {})],
  ] as const
) {
  Deno.test(`watchAccepting() fails after two probes ${how}`, async () => {
    using server = watched(probe);
    assert.equal(await server.check(UNTIL_FAILED - 1), undefined);
    assert.match(String(await server.check(1)), /Cannot accept connections/);
  });
}

Deno.test("watchAccepting() does not fail while the server accepts its probes", async () => {
  let probes = 0;
  using server = watched((accept) => {
    probes++;
    accept();
    return Promise.resolve();
  });
  assert.equal(await server.check(10), undefined);
  assert.equal(probes, 5);
});

Deno.test("watchAccepting() does not fail where other servers on the port accept most of its probes", async () => {
  let probes = 0;
  using server = watched((accept) => {
    if (++probes % 7 === 0) accept();
    return Promise.resolve();
  }, 100);
  assert.equal(await server.check(10), undefined);
  assert.equal(probes, 5 * 7);
});

Deno.test("watchAccepting() fails where others on the port accept all of its probes", async () => {
  let probes = 0;
  using server = watched(() => {
    probes++;
    return Promise.resolve();
  }, 100);
  const failure = await server.check(UNTIL_FAILED);
  assert.match(String(failure), /Cannot accept connections/);
  assert.equal(probes, 200);
});

Deno.test("watchAccepting() does not count a probe that could not be sent", async () => {
  let probes = 0;
  using server = watched(() => {
    probes++;
    return Promise.reject(new Error("Too many open files"));
  });
  assert.equal(await server.check(10), undefined);
  assert.equal(probes, 9);
});

Deno.test("watchAccepting() starts counting again once the server accepts a connection", async () => {
  let probes = 0;
  using server = watched((accept) => {
    if (++probes % 2 === 0) accept();
    return Promise.resolve();
  });
  assert.equal(await server.check(10), undefined);
  assert(probes >= 5);
});

Deno.test("watchAccepting() aborts a probe that is still connecting at the next check", async () => {
  const signals: AbortSignal[] = [];
  using server = watched((_, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  await server.check(2);
  assert.deepEqual(signals.map(({ aborted }) => aborted), [false]);
  await server.check(1);
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true, false]);
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
        `--preload=${import.meta.dirname}/../../../support/few_descriptors.ts`,
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
      remove: "src/downstream/tls/accept_watchdog.ts",
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
