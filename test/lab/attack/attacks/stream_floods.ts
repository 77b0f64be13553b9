/** S10 and its like: bodies and heads in the smallest of pieces, in both directions, and clients without rest. */
import { discard, writeAll } from "../../../support/dial.ts";
import { flood, repeated } from "../../../support/hostile_app.ts";
import {
  clientFrame,
  handshakeOf,
  openWebSocket,
} from "../../../support/raw_websocket.ts";
import { concat, utf8 } from "../../../support/wire_frames.ts";
import type { Arena, Flood } from "../attack.ts";
import { persist } from "../persist.ts";

function getOf(path: string, host: string): Uint8Array {
  return utf8(`GET /${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

/** Clients that read an app's response. */
async function download(stage: Arena, path: string): Promise<void> {
  const conn = await stage.connect();
  await writeAll(conn, getOf(path, stage.hostile));
  await discard(conn);
}

/** A client that sends `unit` after a head without end, and discards what comes. */
async function send(
  stage: Arena,
  head: Uint8Array,
  unit: Uint8Array,
): Promise<void> {
  const conn = await stage.connect();
  await writeAll(conn, head);
  const reading = discard(conn);
  await flood(conn, unit);
  await reading;
}

/** A client that floods a tunnel. */
async function sendFrames(
  stage: Arena,
  path: string,
  unit: Uint8Array,
  start = new Uint8Array(),
): Promise<void> {
  const conn = await stage.connect();
  await openWebSocket(conn, handshakeOf(stage.hostile, `/ws/${path}`));
  const reading = discard(conn);
  await writeAll(conn, start);
  await flood(conn, unit);
  await reading;
}

function attack(
  name: string,
  about: string,
  clients: number,
  act: (stage: Arena) => Promise<void>,
  more: Partial<Flood> = {},
): Flood {
  return {
    name,
    about,
    keepsUp: true,
    ...more,
    run: (stage) => persist(stage, clients, () => act(stage)),
  };
}

const MANY_HEADERS = Array.from({ length: 90 }, (_, i) => `X-${i}: y\r\n`)
  .join("");

function chunkedPost(host: string): Uint8Array {
  return utf8(
    `POST /sink HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
}

const LONG_BYTES = 512 * 1024;

/** An upload of a known length, for which there is much room: reads on its connection take as much from then on. */
function longPost(host: string): Uint8Array {
  const head =
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${LONG_BYTES}\r\n\r\n`;
  return concat(utf8(head), new Uint8Array(LONG_BYTES));
}

/** Uploads that begin so, and go on in chunks of one byte. */
function uploads(
  name: string,
  about: string,
  start: (stage: Arena) => Uint8Array,
  more: Partial<Flood> = {},
): Flood {
  const act = (stage: Arena) => send(stage, start(stage), utf8("1\r\na\r\n"));
  return attack(name, about, 64, act, more);
}

/** The attacks. */
export const streamFloods: readonly Flood[] = [
  attack(
    "S10-chunks",
    "an app answers 64 clients in chunks of one byte, without end",
    64,
    (stage) => download(stage, "chunks"),
    { short: "http" },
  ),
  attack(
    "S10-events",
    "an app sends 64 clients events of one byte, without end",
    64,
    (stage) => download(stage, "events"),
  ),
  attack(
    "S10-refusals",
    "an app answers 16 clients as a runner refuses, in chunks of one byte",
    16,
    (stage) => download(stage, "refusal"),
  ),
  uploads(
    "S10-uploads",
    "64 clients upload in chunks of one byte, without end",
    ({ hostile }) => chunkedPost(hostile),
    {
      limit: {
        over: "http",
        promises: { medianMs: 250 },
        reason:
          "without our own TLS, Deno itself takes what 64 such clients send, which makes turns of the event loop of 30 to 50 ms, and a new connection takes several; the check of the process and pages on open connections are answered within 100 ms",
      },
    },
  ),
  uploads(
    "S10-uploads-after",
    "64 clients upload 512 KiB, and then in chunks of one byte, without end",
    ({ innocent, hostile }) => concat(longPost(innocent), chunkedPost(hostile)),
  ),
  uploads(
    "S10-refused-uploads",
    "64 clients upload 512 KiB, and then in chunks of one byte to where nothing is, without end",
    ({ innocent, hostile }) =>
      concat(
        longPost(innocent),
        chunkedPost(hostile.replace(/-[^.]+/, "-nobody")),
      ),
  ),
  attack(
    "flood-small-uploads",
    "16 clients send small uploads one after the other, without waiting",
    16,
    (stage) =>
      send(
        stage,
        new Uint8Array(),
        utf8(
          `POST / HTTP/1.1\r\nHost: ${stage.innocent}\r\nContent-Length: 1\r\n\r\na`,
        ),
      ),
  ),
  attack(
    "flood-requests",
    "16 clients send requests with 90 headers one after the other, without waiting",
    16,
    (stage) =>
      send(
        stage,
        new Uint8Array(),
        utf8(
          `GET / HTTP/1.1\r\nHost: ${stage.innocent}\r\n${MANY_HEADERS}\r\n`,
        ),
      ),
  ),
  attack(
    "flood-interim",
    "an app sends 16 clients interim responses, without end",
    16,
    (stage) => download(stage, "interim"),
  ),
  attack(
    "flood-headers",
    "an app sends 16 clients headers, without end",
    16,
    (stage) => download(stage, "headers"),
  ),
  attack(
    "flood-client-messages",
    "clients send messages of one byte through 3 tunnels, without end",
    3,
    (stage) => sendFrames(stage, "sink", clientFrame(1, "a")),
  ),
  attack(
    "flood-both-ways",
    "an app and its clients send messages of one byte through 3 tunnels, without end",
    3,
    (stage) => sendFrames(stage, "tiny-messages", clientFrame(1, "a")),
  ),
  attack(
    "flood-client-fragments",
    "clients send empty fragments through 2 tunnels, without end",
    2,
    (stage) =>
      sendFrames(
        stage,
        "sink",
        clientFrame(0, "", { final: false }),
        clientFrame(2, "a", { final: false }),
      ),
    {
      limit: {
        promises: { medianMs: 4000, p99Ms: 8000, drainMs: 4000 },
        reason:
          "Deno reads a client's fragments, tens of thousands without a turn of the event loop, and tells nothing of them: two such clients have everybody wait for 0.2 to 3 s without our own TLS; with it, which passes on 16 KiB a turn, one has them wait for 50 to 140 ms",
      },
    },
  ),
  attack(
    "S14-client-pongs",
    "clients send Pongs through 3 tunnels, without end",
    3,
    (stage) => sendFrames(stage, "sink", clientFrame(10)),
  ),
  attack(
    "flood-reconnects",
    "32 clients connect, ask, and leave before the answer, without rest",
    32,
    async (stage) => {
      while (!stage.signal.aborted) {
        const conn = await stage.connect();
        await writeAll(conn, getOf("", stage.innocent));
        conn.close();
      }
    },
    {
      limit: {
        over: "http",
        promises: { p99Ms: 1500 },
        reason:
          "if Deno's queue of 511 connections that wait to be accepted is full, a new one is made by the kernel's next try, a second later",
      },
    },
  ),
  attack(
    "flood-handshakes",
    "16 clients open tunnels and leave, without rest",
    16,
    async (stage) => {
      while (!stage.signal.aborted) {
        const conn = await stage.connect();
        await openWebSocket(conn, handshakeOf(stage.hostile, "/ws/sink"));
        conn.close();
      }
    },
  ),
  attack(
    "flood-garbage",
    "16 clients send what is no request, without rest",
    16,
    async (stage) => {
      const conn = await stage.connect();
      await writeAll(conn, repeated(utf8("\x16\x03\x01 what is this\r\n\r\n")));
      await discard(conn);
    },
  ),
];
