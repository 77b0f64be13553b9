import assert from "node:assert/strict";
import { startTls } from "../../../src/platform/abortable_tls.ts";
import { CA, LOCALHOST } from "../../support/certificates.ts";
import { staysPending, stillNeeded } from "./canary.ts";

/** Both ends of a TCP connection. */
async function connection(): Promise<
  { near: Deno.TcpConn; far: Deno.TcpConn }
> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  return { near, far };
}

Deno.test("startTls() makes a handshake", async () => {
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    ...LOCALHOST,
    alpnProtocols: ["http/1.1"],
  });
  const { port } = listener.addr;
  const accepting = listener.accept();
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  using far = await accepting;
  const accepted = far.handshake();
  using near = await startTls(tcp, {
    hostname: "localhost",
    caCerts: [CA],
    alpnProtocols: ["http/1.1"],
    signal: new AbortController().signal,
  });
  await accepted;
  assert.equal((await near.handshake()).alpnProtocol, "http/1.1");
});

Deno.test("startTls() gives up and closes the connection when its signal aborts", async () => {
  const { near, far } = await connection();
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const starting = startTls(near, { hostname: "localhost", signal });
  await far.read(new Uint8Array(1)); // the handshake has begun
  giveUp.abort();
  await assert.rejects(starting);
  far.close();
});

Deno.test("startTls() closes the connection if the handshake fails", async () => {
  const { near, far } = await connection();
  const { signal } = new AbortController();
  const starting = startTls(near, { hostname: "localhost", signal });
  far.close();
  await assert.rejects(starting);
});

Deno.test("canary: Deno.startTls() heeds no signal", async () => {
  const { near, far } = await connection();
  const giveUp = new AbortController();
  async function handshake(): Promise<void> {
    const { signal } = giveUp;
    const options = { hostname: "localhost", signal };
    using tls = await Deno.startTls(near, options);
    await tls.handshake();
  }
  const ended = handshake().catch(() => {});
  giveUp.abort();
  const isPending = await staysPending(ended);
  far.close();
  await ended;
  stillNeeded(isPending, {
    mended: "the signal of Deno.startTls()",
    remove: "src/platform/abortable_tls.ts",
  });
});
