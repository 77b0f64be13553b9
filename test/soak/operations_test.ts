import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { Accounts } from "./accounts.ts";
import { Door } from "./door.ts";
import { startLoad } from "./operations.ts";

const GET = { name: "GET", expected: ["200"] };

Deno.test("a load never exceeds its limit of operations at once, and waits for them at its end", async () => {
  const accounts = new Accounts({ aftermathMs: 0 });
  const enough = Promise.withResolvers<void>();
  let underWay = 0;
  let most = 0;
  let runs = 0;
  const operation = {
    ...GET,
    everyMs: 1,
    atOnce: 3,
    async run() {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      if (++runs === 12) enough.resolve();
      if (runs === 5) throw new Error("boom");
      return "200";
    },
  };

  const load = startLoad([operation], {
    accounts,
    now: () => performance.now(),
  });
  await enough.promise;
  const unfinished = await load.stop(10_000);

  assert.deepEqual(unfinished, []);
  assert.equal(underWay, 0);
  assert.equal(most, 3);
  const { total, unexplained } = accounts.summary();
  assert.equal(total, runs);
  assert.deepEqual(unexplained.map(({ outcome }) => outcome), [
    "error: Error: boom",
  ]);
});

Deno.test("a load names the operations that do not end", async () => {
  const accounts = new Accounts({ aftermathMs: 0 });
  const begun = Promise.withResolvers<void>();
  const load = startLoad([{
    ...GET,
    everyMs: 1,
    atOnce: 1,
    run() {
      begun.resolve();
      return new Promise<string>(() => {});
    },
  }], { accounts, now: () => performance.now() });
  await begun.promise;

  assert.deepEqual(await load.stop(1), ["GET"]);
});

Deno.test("a door relays, refuses connections while it is shut, and opens again on the same port", async () => {
  await using server = await startEcho();
  await using door = new Door(server.port);
  await door.open();
  assert.equal(await roundTrip(door.port), "hello");

  using cut = await Deno.connect({ port: door.port, hostname: "127.0.0.1" });
  await cut.write(new TextEncoder().encode("x"));
  assert.equal(await cut.read(new Uint8Array(9)), 1);
  await door.shut();
  await assert.rejects(roundTrip(door.port), Deno.errors.ConnectionRefused);
  const rest = await cut.read(new Uint8Array(9)).catch(() => null);
  assert.equal(rest, null);

  await door.open();
  assert.equal(await roundTrip(door.port), "hello");
});

async function startEcho() {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

async function roundTrip(port: number): Promise<string> {
  using conn = await Deno.connect({ port, hostname: "127.0.0.1" });
  await conn.write(new TextEncoder().encode("hello"));
  await conn.closeWrite();
  let text = "";
  const buffer = new Uint8Array(64);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
}
