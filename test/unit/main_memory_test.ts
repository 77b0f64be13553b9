/** S3: the memory of a whole process, started the way an operator starts it. */
import assert from "node:assert/strict";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { writeAll } from "../support/dial.ts";
import { DEMO } from "../support/gateway.ts";
import { startProcess } from "../support/process.ts";
import { handshakeOf, openWebSocket } from "../support/raw_websocket.ts";

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
  await openWebSocket(conn, handshakeOf(DEMO, "/ws"));
  const header = new Uint8Array(14);
  header.set([0x82, 0xff]);
  new DataView(header.buffer).setBigUint64(2, BigInt(LENGTH + 1));
  try {
    await writeAll(conn, header);
    const part = new Uint8Array(MIB);
    for (let sent = 0; sent < LENGTH; sent += MIB) await writeAll(conn, part);
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
    // It takes itself to be in the container for which the default budget is meant.
    permissions: ["-P=start", "--deny-sys=systemMemoryInfo"],
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
  // 390 MiB on a quiet machine; on a busy one the gateway looks late. All messages together take 1,350.
  assert.ok(peak < 900 * MIB, `${peak / MIB} MiB`);
  const { code } = await gateway.stop();
  assert.equal(code, 0);
});
