/** S3: the memory of a whole process, started the way an operator starts it. */
import assert from "node:assert/strict";
import { startStack } from "../scripts/stand_in/stack.ts";
import { startProcess } from "./support/process.ts";
import { DEMO } from "./support/gateway.ts";

const MIB = 1024 * 1024;
const CLIENTS = 20;
const LENGTH = 62 * MIB;

/** The memory that a process takes, by its metrics, bytes. */
async function sizeOf(metricsPort: unknown): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  const text = await response.text();
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
}

/** Opens a WebSocket to the echo, and sends all of a message but its last byte, as far as it is taken. */
async function sendUnfinished(port: number): Promise<Deno.Conn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const write = async (bytes: Uint8Array) => {
    for (let left = bytes; left.length > 0;) {
      left = left.subarray(await conn.write(left));
    }
  };
  await write(new TextEncoder().encode(
    `GET /ws HTTP/1.1\r\nHost: ${DEMO}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  ));
  await conn.read(new Uint8Array(1000));
  const header = new Uint8Array(14);
  header.set([0x82, 0xff]);
  new DataView(header.buffer).setBigUint64(2, BigInt(LENGTH + 1));
  try {
    await write(header);
    const part = new Uint8Array(MIB);
    for (let sent = 0; sent < LENGTH; sent += MIB) await write(part);
  } catch {
    // Dropped.
  }
  return conn;
}

Deno.test("S3: twenty messages of 62 MiB that do not end do not make the process grow by as much, and others are served", async () => {
  await using stack = await startStack();
  await using gateway = await startProcess({
    environment: {
      ...stack.environment,
      METRICS_PORT: "0",
      METRICS_HOST: "127.0.0.1",
      SHUTDOWN_DELAY_SEC: "0",
    },
  });
  assert.equal((await gateway.ask(DEMO)).status, 200);
  const { metricsPort } = await gateway.record("listening");
  let hasSent = false;
  const sending = Promise.all(
    Array.from({ length: CLIENTS }, () => sendUnfinished(gateway.port)),
  ).finally(() => hasSent = true);
  let peak = 0;
  do peak = Math.max(peak, await sizeOf(metricsPort)); while (!hasSent);
  const clients = await sending;
  peak = Math.max(peak, await sizeOf(metricsPort));
  for (const client of clients) client.close();
  assert.equal((await gateway.ask(DEMO)).status, 200);
  assert.ok(peak < 600 * MIB, `${peak / MIB} MiB`);
  const { code } = await gateway.stop();
  assert.equal(code, 0);
});
