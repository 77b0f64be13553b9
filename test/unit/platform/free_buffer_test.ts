import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { freeBuffer } from "../../../src/platform/free_buffer.ts";
import { openWebSocket, serve, stillNeeded } from "./canary.ts";

const CHUNK_BYTES = 64 * 1024;
const MIB = 1024 * 1024;

/** The most memory outside the heap that a gigabyte's worth of buffers takes, one after the other, bytes. */
async function peakOf(done: (bytes: Uint8Array) => void): Promise<number> {
  const base = Deno.memoryUsage().external;
  let peak = 0;
  for (let count = 0; count < 1000; count++) {
    const bytes = new Uint8Array(CHUNK_BYTES);
    await turn();
    done(bytes);
    peak = Math.max(peak, Deno.memoryUsage().external - base);
  }
  return peak;
}

Deno.test("freeBuffer() frees a buffer at once, and does nothing the second time", async () => {
  assert(await peakOf(freeBuffer) < 4 * MIB);
  const bytes = new Uint8Array(8192);
  const half = bytes.subarray(4096);
  freeBuffer(half);
  freeBuffer(bytes);
  assert.deepEqual([bytes.length, half.length], [0, 0]);
});

Deno.test("freeBuffer() leaves a small buffer as it is", () => {
  const bytes = new Uint8Array(100);
  freeBuffer(bytes);
  assert.equal(bytes.length, 100);
});

Deno.test("canary: buffers that are no longer needed pile up", async () => {
  stillNeeded(await peakOf(() => {}) > 8 * MIB, {
    mended: "the collection of buffers",
    remove: "src/platform/free_buffer.ts",
  });
});

Deno.test("Deno has taken over what it writes or serves: freeing the buffer does no harm", async () => {
  // The large chunk waits in a queue while its buffer is freed.
  const length = 8 * MIB;
  const parts = ["a".repeat(length), "b"];
  await using server = serve(() => {
    let last: Uint8Array | undefined;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (last !== undefined) freeBuffer(last);
          const part = parts.shift();
          if (part === undefined) return controller.close();
          controller.enqueue(last = new TextEncoder().encode(part));
        },
      }, { highWaterMark: 0 }),
    );
  });
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  const text = await response.text();
  assert(text === "a".repeat(length) + "b");

  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [sender, receiver] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  await using pair = await openWebSocket();
  const message = new TextEncoder().encode("m".repeat(length));
  pair.socket.send(message);
  freeBuffer(message);
  const header = "\x82\x7f" + "\0".repeat(4) + "\0\x80\0\0"; // 8 MiB
  const frame = await pair.client.read(header.length + length);
  assert(frame === header + "m".repeat(length));

  const bytes = new TextEncoder().encode("c".repeat(length));
  const writing = sender.write(bytes);
  freeBuffer(bytes);
  const received = new Response(receiver.readable).text();
  const written = await writing;
  sender.close();
  assert(await received === "c".repeat(written));
});
