/**
 * Storms of connections: everybody loses their WebSocket at once, as when a front restarts, and comes back at once; and
 * some come and go.
 */
import { writeAll } from "../../../support/dial.ts";
import { handshakeOf } from "../../../support/raw_websocket.ts";
import { utf8 } from "../../../support/wire_frames.ts";
import type { Arena, Flood } from "../attack.ts";
import { persist } from "../persist.ts";

/** So many came back so often that, as long as those of before were kept, they took most of 256 MiB. */
const CLIENTS = 800;
const STORMS = 10;

/** Handshakes under way at once. */
const AT_ONCE = 50;

/** Opens a WebSocket for each client, each at an address of its own; those that fail are left out. */
async function openAll(stage: Arena): Promise<Deno.Conn[]> {
  const open: Deno.Conn[] = [];
  let next = 0;
  async function openSome(): Promise<void> {
    while (next < CLIENTS && !stage.signal.aborted) {
      const client = next++;
      const address = `198.51.${100 + (client >> 8)}.${client & 255}`;
      const headers = { "X-Forwarded-For": address };
      const handshake = handshakeOf(stage.hostile, "/ws/sink", headers);
      try {
        const conn = await stage.connect();
        await writeAll(conn, utf8(handshake));
        await conn.read(new Uint8Array(1024)); // all that ever comes
        open.push(conn);
      } catch {
        // The time is up.
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, openSome));
  return open;
}

/** The attacks. */
export const storms: readonly Flood[] = [{
  name: "storm-reconnects",
  about:
    `${CLIENTS} clients lose their WebSockets and come back, ${STORMS} times`,
  only: "http",
  lastsMs: 40_000,
  settings: {
    MAX_TUNNELS: `${CLIENTS + 100}`,
    MAX_CONCURRENT_EXCHANGES: `${CLIENTS + 400}`,
    MAX_EXCHANGES_PER_SANDBOX: `${CLIENTS + 100}`,
  },
  limit: {
    promises: { p99Ms: 1000 },
    reason:
      `${CLIENTS} handshakes at once are half a second's work of the gateway`,
  },
  async run(stage) {
    for (let storm = 0; storm <= STORMS; storm++) {
      for (const conn of await openAll(stage)) conn[Symbol.dispose]();
    }
  },
}, {
  name: "storm-handshakes",
  about: "60 clients connect and close, as fast as they can",
  only: "https",
  lastsMs: 15_000,
  run: (stage) =>
    persist(stage, 60, async () => {
      const { port } = stage;
      using _conn = await Deno.connect({ hostname: "127.0.0.1", port });
    }),
}];
