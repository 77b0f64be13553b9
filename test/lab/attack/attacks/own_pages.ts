/** What is tried with the gateway's own pages, which anybody may ask for. */
import { type Arena, BASE, type Flood } from "../attack.ts";

const CONNECTIONS = 300;
const PIPELINED = 50;

const ASK = new TextEncoder().encode(
  [
    "GET /openapi.json HTTP/1.1",
    `Host: ${BASE}`,
    "X-Forwarded-For: 203.0.113.66",
    "",
    "",
  ].join("\r\n").repeat(PIPELINED),
);

/** Asks, and asks again when about as much has come as a few answers have. */
async function pipeline(arena: Arena): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  while (!arena.signal.aborted) {
    try {
      using conn = await arena.connect();
      for (;;) {
        await conn.write(ASK);
        for (let bytes = 0; bytes < ASK.length;) {
          const read = await conn.read(buffer);
          if (read === null) throw new Error("closed");
          bytes += read;
        }
      }
    } catch {
      // Refused, or over. Not again at once: this is no storm of connections.
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** The attacks. */
export const ownPages: readonly Flood[] = [
  {
    name: "A46-pipelined-pages",
    about:
      "one address asks for /openapi.json on 300 connections, 50 times in a row on each, again and again",
    limit: {
      over: "https",
      promises: { medianMs: 250, p99Ms: 2000 },
      reason:
        `${CONNECTIONS} handshakes at once are half a second's work of the gateway, and so is what it encrypts`,
    },
    async run(arena) {
      await Promise.all(
        Array.from({ length: CONNECTIONS }, () => pipeline(arena)),
      );
    },
  },
];
