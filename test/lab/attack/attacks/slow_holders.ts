/** What many clients send slowly and never end: each holds little, and between them they fill the memory. */
import { setTimeout as delay } from "node:timers/promises";
import { discard, writeAll } from "../../../support/dial.ts";
import { headOf } from "../../../support/load_client.ts";
import {
  clientFrame,
  handshakeOf,
  openWebSocket,
} from "../../../support/raw_websocket.ts";
import { utf8 } from "../../../support/wire_frames.ts";
import type { Arena, Flood, Limit } from "../attack.ts";
import { hold, persist } from "../persist.ts";

/** What is sent without its end. */
export const SLOW_KINDS = [
  "trailers",
  "messages",
  "extensions",
  "heads",
  "uploads",
] as const;

/** So many connections from so many addresses, which send so much between them, MB/s. */
export interface SlowFlood {
  readonly kind: (typeof SLOW_KINDS)[number];
  readonly holders: number;
  readonly rate: number;
  readonly addresses: number;
  /** Who was turned away, or dropped, comes back after this time, s; 1 by default. */
  readonly awaySec?: number;
}

const ABOUT: Readonly<Record<SlowFlood["kind"], string>> = {
  trailers: "trailers of chunked uploads",
  messages: "messages",
  extensions: "extensions of chunks",
  heads: "heads of requests",
  uploads: "uploads that are answered and not read",
};

/** Between two parts that a holder sends, ms. */
const TICK_MS = 100;

const MAX_PART_BYTES = 4 * 1024 * 1024;

/** A head may have 64 KiB; what is more is refused. */
const MAX_HEAD_BYTES = 60 * 1024;

const LETTERS = new Uint8Array(MAX_PART_BYTES).fill(0x61);

/** The address of an attacker. */
export function slowAddress(attacker: number): string {
  return `198.51.100.${attacker}`;
}

/** How what is sent begins. */
function beginning(
  { kind }: SlowFlood,
  host: string,
  address: string,
): Uint8Array {
  if (kind === "messages") {
    return clientFrame(2, "a", { final: false });
  }
  if (kind === "heads") {
    return utf8(`GET / HTTP/1.1\r\nHost: ${host}\r\nX: `);
  }
  const head = headOf({
    method: "POST",
    host,
    path: kind === "uploads" ? "/early-unread" : "/sink",
    headers: { "X-Forwarded-For": address, "Transfer-Encoding": "chunked" },
  });
  const rest = {
    trailers: "1\r\na\r\n0\r\nA: ",
    extensions: "1;",
    uploads: "40000000\r\n",
  };
  return utf8(`${head}${rest[kind]}`);
}

/** The next part. */
function part({ kind }: SlowFlood, bytes: number): Uint8Array {
  const length = Math.min(Math.ceil(bytes), MAX_PART_BYTES);
  const letters = LETTERS.subarray(0, length);
  return kind === "messages"
    ? clientFrame(0, letters, { final: false })
    : letters;
}

/** The attack. */
export function slowFlood(flood: SlowFlood, more: Partial<Flood> = {}): Flood {
  const { kind, holders, rate, addresses, awaySec = 1 } = flood;
  const awayMs = awaySec * 1000;
  const from = addresses === 1 ? "one address" : `${addresses} addresses`;
  return {
    name: `slow-${kind}-${holders}`,
    about: `${holders} connections of ${from} send ${
      ABOUT[kind]
    } without end, at ${rate} MB/s in all`,
    lastsMs: 15_000,
    ...more,
    async run(stage) {
      let sending = 0;
      const share = () => rate * 1e6 * TICK_MS / 1000 / Math.max(1, sending);
      await persist(stage, holders, async (holder) => {
        await delay(Math.random() * awayMs);
        const conn = await stage.connect();
        try {
          const address = slowAddress(holder % addresses);
          if (!await isTaken(stage, flood, conn, address)) return;
          sending++;
          await send(stage, flood, conn, share).finally(() => sending--);
        } finally {
          conn[Symbol.dispose]();
          await delay(awayMs);
        }
      });
    },
  };
}

/** Begins, on a WebSocket once it is open; false if it is refused. */
async function isTaken(
  { hostile }: Arena,
  flood: SlowFlood,
  conn: Deno.Conn,
  address: string,
): Promise<boolean> {
  if (flood.kind === "messages") {
    const headers = { "X-Forwarded-For": address };
    const handshake = handshakeOf(hostile, "/ws/sink", headers);
    if (await openWebSocket(conn, handshake) !== 101) return false;
  }
  await writeAll(conn, beginning(flood, hostile, address));
  return true;
}

/** Goes on until the connection is closed. */
async function send(
  stage: Arena,
  flood: SlowFlood,
  conn: Deno.Conn,
  share: () => number,
): Promise<void> {
  const reading = discard(conn).then(() => conn[Symbol.dispose]());
  let sent = 0;
  while (!stage.signal.aborted) {
    await delay(TICK_MS);
    const bytes = share();
    sent += bytes;
    if (flood.kind === "heads" && sent > MAX_HEAD_BYTES) {
      await Promise.race([hold(stage), reading]);
      return;
    }
    await writeAll(conn, part(flood, bytes));
  }
}

/** Nobody is killed, and who is innocent has to wait. */
const BUSY: Limit = {
  promises: { medianMs: 300, p99Ms: 3000 },
  reason: "what comes at 100 MB/s, and is dropped, keeps a core busy",
};

/** The attacks. */
export const slowHolders: readonly Flood[] = [
  slowFlood({ kind: "trailers", holders: 20, rate: 25, addresses: 1 }, {
    short: "http",
    spares: ["lively", "quiet", "large"],
  }),
  slowFlood({ kind: "messages", holders: 300, rate: 25, addresses: 15 }, {
    spares: ["lively"],
  }),
  slowFlood({ kind: "extensions", holders: 100, rate: 25, addresses: 15 }, {
    spares: ["lively"],
  }),
  slowFlood({ kind: "heads", holders: 1000, rate: 10, addresses: 15 }),
  slowFlood({ kind: "heads", holders: 2000, rate: 10, addresses: 15 }, {
    only: "https",
    limit: {
      promises: { p99Ms: 1500 },
      reason: "2,000 handshakes at once are a second's work of the gateway",
    },
  }),
  slowFlood({ kind: "uploads", holders: 100, rate: 50, addresses: 15 }, {
    spares: ["lively"],
  }),
  slowFlood({ kind: "trailers", holders: 300, rate: 100, addresses: 15 }, {
    limit: BUSY,
  }),
  slowFlood({
    ...{ kind: "uploads", holders: 300, rate: 100, addresses: 15 },
    awaySec: 0.5,
  }, { only: "https", limit: BUSY }),
];
