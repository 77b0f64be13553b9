import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers";
import { createServer, type TLSSocket } from "node:tls";
import { freeBuffer } from "../../../src/platform/free_buffer.ts";
import { mendPause } from "../../../src/platform/tls_pause.ts";
import { CA, LOCALHOST } from "../../support/certificates.ts";
import { staysPending, stillNeeded } from "./canary.ts";

const MIB = 1024 * 1024;

/** More than the buffers of the kernel and of TLS at both ends take. */
const UPLOAD_BYTES = 32 * MIB;

/** An upload without progress for so long, ms, has been stopped; one that is not makes some even on a busy machine. */
const STANDSTILL_MS = 2000;

/** A client's upload to a paused socket. */
interface Upload extends AsyncDisposable {
  readonly socket: TLSSocket;
  /** Resolves once the client could send everything. */
  readonly sent: Promise<void>;
  /** Resolves to whether the client makes no more progress. */
  isStopped(): Promise<boolean>;
}

/** Starts an upload to a socket that `prepare` has seen before it was paused. */
async function startUpload(
  prepare: (socket: TLSSocket) => void,
): Promise<Upload> {
  const accepted = Promise.withResolvers<TLSSocket>();
  const server = createServer(LOCALHOST, (socket) => {
    prepare(socket);
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
  let bytes = 0;
  async function upload(): Promise<void> {
    while (bytes < UPLOAD_BYTES) bytes += await client.write(chunk);
  }
  const sent = upload();
  const ended = sent.catch(() => {});
  const socket = await accepted.promise;
  return {
    socket,
    sent,
    async isStopped() {
      let before = -1;
      while (bytes < UPLOAD_BYTES && bytes > before) {
        before = bytes;
        await staysPending(ended, STANDSTILL_MS);
      }
      return bytes < UPLOAD_BYTES;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(socket, "close");
      socket.destroy();
      await closed;
      client.close();
      await ended;
      const stopped = once(server, "close");
      server.close();
      await stopped;
    },
  };
}

Deno.test("a mended socket stops its client while it is paused, and reads everything once it is resumed", async () => {
  await using upload = await startUpload(mendPause);
  assert(await upload.isStopped());
  let received = 0;
  const { socket } = upload;
  socket.on("data", (data: Uint8Array) => {
    received += data.length;
    if (received === UPLOAD_BYTES) socket.emit("whole");
  });
  const whole = once(socket, "whole");
  socket.resume();
  await Promise.all([upload.sent, whole]);
});

Deno.test("what a mended socket has read takes no memory any more once it is passed on", async () => {
  await using upload = await startUpload(mendPause);
  const { socket } = upload;
  const base = Deno.memoryUsage().external;
  let received = 0;
  let peak = 0;
  socket.on("data", (data: Uint8Array) => {
    socket.pause();
    peak = Math.max(peak, Deno.memoryUsage().external - base);
    received += data.length;
    freeBuffer(data);
    setImmediate(() => socket.resume());
    if (received === UPLOAD_BYTES) socket.emit("whole");
  });
  const whole = once(socket, "whole");
  socket.resume();
  await Promise.all([upload.sent, whole]);
  assert(peak < 8 * MIB, `${peak} bytes`);
});

Deno.test("canary: a node:tls socket goes on reading while it is paused", async () => {
  await using upload = await startUpload(() => {});
  stillNeeded(!await upload.isStopped(), {
    mended: "TLSSocket.pause()",
    remove: "src/platform/tls_pause.ts",
  });
});
