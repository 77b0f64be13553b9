import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { CA, LOCALHOST } from "../support/certificates.ts";
import { staysPending, stillNeeded } from "./canary.ts";

const MIB = 1024 * 1024;

/** More than the buffers of the kernel and of TLS at both ends take. */
const UPLOAD_BYTES = 32 * MIB;

/** An upload without progress for so long, ms, has been stopped; one that is not makes some even on a busy machine. */
const STANDSTILL_MS = 2000;

Deno.test("canary: a node:tls socket goes on reading while it is paused", async () => {
  const accepted = Promise.withResolvers<TLSSocket>();
  const server = createServer(LOCALHOST, (socket) => {
    socket.pause();
    socket.on("error", () => {});
    accepted.resolve(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  const client = await Deno.startTls(tcp, {
    hostname: "localhost",
    caCerts: [CA],
  });
  const chunk = new Uint8Array(MIB);
  let sent = 0;
  async function upload(): Promise<void> {
    while (sent < UPLOAD_BYTES) sent += await client.write(chunk);
  }
  const uploading = upload().catch(() => {});
  const socket = await accepted.promise;
  let before = -1;
  while (sent < UPLOAD_BYTES && sent > before) {
    before = sent;
    await staysPending(uploading, STANDSTILL_MS);
  }
  const isStopped = sent < UPLOAD_BYTES;
  const closed = once(socket, "close");
  socket.destroy();
  await closed;
  client.close();
  await uploading;
  const ended = once(server, "close");
  server.close();
  await ended;
  stillNeeded(!isStopped, {
    mended: "TLSSocket.pause()",
    remove: "its row in docs/platform.md",
  });
});
