import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { garbageCollector } from "../../../src/platform/collect_garbage.ts";
import { LOCALHOST } from "../../support/certificates.ts";
import { stillNeeded } from "./canary.ts";

const HANDSHAKES = 200;

Deno.test("canary: a server of node:tls keeps connections that are closed amid their handshake until its time is up", async () => {
  const { cert, key } = LOCALHOST;
  const tls = createTlsServer({ cert, key, handshakeTimeout: 1_000 });
  const server = createServer((connection) => {
    connection.on("error", () => {});
    tls.emit("connection", connection);
    connection.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port ?? 0 : 0;

  async function bytesOf(handshakes: number): Promise<number> {
    for (let i = 0; i < handshakes; i++) {
      const client = connect(port, "127.0.0.1");
      client.on("error", () => {});
      client.resume();
      await once(client, "close");
    }
    garbageCollector()?.();
    return Deno.memoryUsage().heapUsed;
  }
  await bytesOf(20);
  const before = await bytesOf(1);
  const after = await bytesOf(HANDSHAKES);
  stillNeeded(after - before > HANDSHAKES * 1_000, {
    mended: "the servers of node:tls",
    remove: "TLSSocket from src/downstream/tls/listen_tls.ts",
  });
  const closed = once(server, "close");
  server.close();
  await closed;
});
