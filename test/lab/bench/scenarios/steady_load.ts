/** GETs at a steady rate, whatever is answered: as many visitors together send them. */
import { setTimeout as delay } from "node:timers/promises";
import { connect, headOf, type RawRequest, send } from "./raw_http.ts";

/** Where a request goes. */
export interface Destination {
  readonly port: number;
  readonly request: RawRequest;
}

/** The requests of each tick are sent together. */
const TICK_MS = 10;

const BUFFER_BYTES = 16 * 1024;

/**
 * Sends requests for a while, and returns how many were answered.
 *
 * @param next where the next request goes
 * @throws {Error} if one is answered by anything but 200.
 */
export async function sendSteadily(
  perSec: number,
  seconds: number,
  next: () => Destination,
): Promise<number> {
  using opened = new DisposableStack();
  const idle = new Map<number, Deno.TcpConn[]>();
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  async function get({ port, request }: Destination): Promise<void> {
    const free = idle.get(port) ?? [];
    idle.set(port, free);
    const conn = free.pop() ?? opened.use(await connect(port));
    await send(conn, headOf({ ...request, keepAlive: true }));
    await readResponse(conn);
    free.push(conn);
  }
  const startedAt = performance.now();
  let sent = 0;
  for (let elapsed = 0; elapsed < seconds * 1000;) {
    for (; sent < elapsed * perSec / 1000; sent++) {
      const answer = get(next()).catch((error) => failure ??= error)
        .finally(() => underWay.delete(answer));
      underWay.add(answer);
    }
    await delay(TICK_MS);
    if (failure !== undefined) throw failure;
    elapsed = performance.now() - startedAt;
  }
  await Promise.all(underWay);
  return sent;
}

const decoder = new TextDecoder();

async function readResponse(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let text = "";
  for (let length = Infinity; text.length < length;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("A connection was closed");
    text += decoder.decode(buffer.subarray(0, count));
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) continue;
    if (!text.startsWith("HTTP/1.1 200 ")) {
      throw new Error(`Refused: ${text.split("\r\n")[0]}`);
    }
    const body = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
    length = head + 4 + Number(body);
  }
}
