import assert from "node:assert/strict";
import { serveLastingly } from "../../../src/platform/accept_again.ts";
import { type FakeClock, fakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/upstream.ts";
import { stillNeeded } from "./canary.ts";

const ADDR = { transport: "tcp", hostname: "127.0.0.1", port: 8000 } as const;

/** Servers that fail when the test says so. */
function setUp() {
  const ports: (number | undefined)[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  let shutdowns = 0;
  let failure: unknown;
  const lasting = serveLastingly((port) => {
    ports.push(port);
    if (failure !== undefined) throw failure;
    const end = Promise.withResolvers<void>();
    ends.push(end);
    const server: Deno.HttpServer = {
      addr: ADDR,
      finished: end.promise,
      shutdown: () => Promise.resolve(void shutdowns++),
      ref() {},
      unref() {},
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    return server;
  });
  return {
    lasting,
    ports,
    shutdowns: () => shutdowns,
    async fail(reason: unknown): Promise<void> {
      ends.at(-1)?.reject(reason);
      for (let turns = 0; turns < 5; turns++) await turn();
    },
    failStarts: (reason: unknown) => failure = reason,
  };
}

/** Lets time pass, and what follows from that happen. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  clock.pass(ms);
  for (let turns = 0; turns < 5; turns++) await turn();
}

const NONE_LEFT = new Deno.errors.Http("Too many open files (os error 24)");

Deno.test("a server that ran out of descriptors is followed by another one on its port, and all are shut down", async () => {
  using clock = fakeClock();
  const { lasting, ports, fail, failStarts, shutdowns } = setUp();
  await fail(NONE_LEFT);
  assert.deepEqual(ports, [undefined]);
  await pass(clock, 100);
  assert.deepEqual(ports, [undefined, 8000]);
  await fail(NONE_LEFT);
  failStarts(NONE_LEFT);
  await pass(clock, 100);
  failStarts(undefined);
  await pass(clock, 100);
  assert.deepEqual(ports, [undefined, 8000, 8000, 8000]);
  await lasting.shutdown();
  assert.equal(shutdowns(), 3);
  await fail(NONE_LEFT);
  await pass(clock, 1000);
  assert.equal(ports.length, 4);
});

Deno.test("a server that fails for another reason, or cannot have its port again, has failed", async () => {
  using clock = fakeClock();
  const one = setUp();
  const failed = assert.rejects(one.lasting.failed, /Cannot accept/);
  await one.fail(new Error("bug"));
  await failed;
  const other = setUp();
  const alsoFailed = assert.rejects(other.lasting.failed, /Cannot accept/);
  other.failStarts(new Deno.errors.AddrInUse("taken"));
  await other.fail(NONE_LEFT);
  await pass(clock, 100);
  await alsoFailed;
});

/** Serves, and says so for each line that it is sent; with its failure, once it has failed. */
const SERVER = `
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response());
  let failure = "none";
  server.finished.catch((error) => failure = String(error));
  console.log(server.addr.port);
  for await (const _ of Deno.stdin.readable) console.log(failure);
`;

Deno.test({
  name:
    "canary: Deno.serve closes its port when descriptors have run out, and says so",
  ignore: Deno.build.os !== "linux", // which few_descriptors.ts is for
  async fn() {
    const child = new Deno.Command("deno", {
      args: [
        ...["run", "--no-config", "--quiet", "-A"],
        `--preload=${import.meta.dirname}/../../support/few_descriptors.ts`,
        `data:text/javascript,${encodeURIComponent(SERVER)}`,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const input = child.stdin.getWriter();
    const output = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const answer = async () => (await output.read()).value ?? "";
    const port = Number(await answer());
    const hostname = "127.0.0.1";
    const clients: Deno.Conn[] = [];
    let failure = "none";
    while (failure === "none\n" || failure === "none") {
      if (clients.length > 200) break;
      for (let count = 0; count < 10; count++) {
        await Deno.connect({ hostname, port })
          .then((client) => clients.push(client), () => {});
      }
      await input.write(new Uint8Array(1));
      failure = await answer();
    }
    for (const client of clients) client.close();
    const isClosed = await Deno.connect({ hostname, port })
      .then((client) => client.close(), () => "closed") === "closed";
    await input.close();
    child.kill();
    await output.cancel();
    await child.status;
    stillNeeded(isClosed && /Too many open files/.test(failure), {
      mended: "the port of servers that run out of file descriptors",
      remove: "src/platform/accept_again.ts",
    });
  },
});
