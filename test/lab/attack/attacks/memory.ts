/** S2 and S3: what is kept for peers that do not read, or do not end what they send. */
import { setTimeout as delay } from "node:timers/promises";
import { discard, writeAll } from "../../../support/dial.ts";
import { flood } from "../../../support/hostile_app.ts";
import { headOf } from "../../../support/load_client.ts";
import {
  clientFrame,
  handshakeOf,
  openWebSocket,
} from "../../../support/raw_websocket.ts";
import { utf8 } from "../../../support/wire_frames.ts";
import { type Arena, BASE, type Flood, MIB } from "../attack.ts";
import { hold, persist } from "../persist.ts";

/** Everybody at an address of their own, so that no limit for one client helps. */
function from(attacker: number): Record<string, string> {
  return {
    "X-Forwarded-For": `198.51.${100 + (attacker >> 8)}.${attacker & 255}`,
  };
}

/** An attacker who has one address. */
const ONE = 1;

const PART = new Uint8Array(64 * 1024).fill(0x61);

async function upload(
  stage: Arena,
  attacker: number,
  host: string,
  path = "/unread",
): Promise<void> {
  const conn = await stage.connect();
  const headers = { ...from(attacker), "Content-Length": `${2 ** 40}` };
  const head = headOf({ method: "POST", host, path, headers });
  await writeAll(conn, utf8(head));
  await flood(conn, PART);
}

/** Trailers without end after an upload in chunks. */
async function sendTrailers(
  stage: Arena,
  attacker: number,
  host: string,
  path: string,
): Promise<void> {
  const conn = await stage.connect();
  const headers = { ...from(attacker), "Transfer-Encoding": "chunked" };
  const head = headOf({ method: "POST", host, path, headers });
  await writeAll(conn, utf8(`${head}1\r\na\r\n0\r\nA: `));
  await flood(conn, PART);
}

/** A tunnel on which `act` goes on. */
async function tunnel(
  stage: Arena,
  attacker: number,
  path: string,
  act: (conn: Deno.Conn) => Promise<unknown>,
): Promise<void> {
  const conn = await stage.connect();
  const handshake = handshakeOf(stage.hostile, `/ws/${path}`, from(attacker));
  if (await openWebSocket(conn, handshake) === 101) await act(conn);
}

/** Between two MiB of one of the 20 tunnels that a client may open, ms: 320 MB/s in all. */
const PACE_MS = 64;

/** A message of 62 MiB, without its end. */
async function sendUnfinished(conn: Deno.Conn): Promise<void> {
  const part = new Uint8Array(MIB - 1024);
  await writeAll(conn, clientFrame(2, part, { final: false }));
  const more = clientFrame(0, part, { final: false });
  for (let i = 1; i < 62; i++) {
    await delay(PACE_MS);
    await writeAll(conn, more);
  }
}

/** The clients of one address. */
const NEIGHBOURS = 100;

/** Sends a webhook without its last byte. */
async function beginWebhook(stage: Arena, attacker: number): Promise<void> {
  const conn = await stage.connect();
  const length = attacker % 2 === 0 ? 4096 : PART.length;
  const headers = {
    ...from(Math.floor(attacker / NEIGHBOURS)),
    "Webhook-Id": `msg_${attacker}`,
    "Webhook-Timestamp": `${Math.floor(Date.now() / 1000)}`,
    "Webhook-Signature": `v1,${"A".repeat(43)}=`,
    "Content-Length": `${length}`,
  };
  const path = "/webhooks/daytona";
  await writeAll(
    conn,
    utf8(headOf({ method: "POST", host: BASE, path, headers })),
  );
  await writeAll(conn, PART.subarray(0, length - 1));
  await discard(conn);
}

function attack(
  name: string,
  about: string,
  attackers: number,
  act: (stage: Arena, attacker: number) => Promise<unknown>,
  more: Partial<Flood> = {},
): Flood {
  return {
    name,
    about,
    lastsMs: 5_000,
    ...more,
    run: (stage) =>
      persist(stage, attackers, (attacker) => act(stage, attacker)),
  };
}

/** The attacks. */
export const memory: readonly Flood[] = [
  attack(
    "S2-uploads",
    "4 clients upload a terabyte each to an app that does not read",
    4,
    (stage, attacker) => upload(stage, attacker, stage.hostile),
  ),
  attack(
    "S2-unknown-host",
    "4 clients upload a terabyte each to a host that does not exist",
    4,
    (stage, attacker) => upload(stage, attacker, "nobody.example"),
  ),
  attack(
    "S2-own-pages",
    "4 clients upload a terabyte each to a page of the gateway's own",
    4,
    (stage, attacker) => upload(stage, attacker, BASE),
  ),
  attack(
    "S2-webhooks",
    "1,000 clients of 10 addresses begin a webhook of 4 or 64 KiB, and end none",
    1000,
    beginWebhook,
    {
      settings: { WEBHOOK_SECRET: `whsec_${"MfKQ".repeat(8)}` },
      limit: {
        promises: { p99Ms: 1000 },
        reason:
          "who is turned away comes back at once, and 1,000 connections, over TLS as many handshakes, keep a core busy",
      },
    },
  ),
  attack(
    "S15-answered-uploads",
    "4 clients upload a terabyte each to an app that answers at once, and does not read",
    4,
    (stage, attacker) =>
      upload(stage, attacker, stage.hostile, "/early-unread"),
    {
      short: "https",
      limit: {
        over: "http",
        promises: {},
        reason:
          "without our own TLS, Deno reads such an upload without a limit: whose it is can only be guessed by the growth of the process, so that a WebSocket may be dropped in its place",
      },
    },
  ),
  attack(
    "S15-answered-trailers",
    "4 clients send trailers without end after an upload in chunks that is answered at once",
    4,
    (stage, attacker) => sendTrailers(stage, attacker, stage.innocent, "/"),
    { spares: ["lively"] },
  ),
  attack(
    "S15-streamed-trailers",
    "6 clients send trailers without end beside an answer in parts, with or without a length, or one that breaks off",
    6,
    (stage, attacker) => {
      const paths = ["/early", "/early-length", "/early-broken"];
      const path = paths[attacker % paths.length] ?? "";
      return sendTrailers(stage, attacker, stage.hostile, path);
    },
    { spares: ["lively"] },
  ),
  attack(
    "S15-beside-requests",
    "4 clients send anything, without end, beside a request to an app that does not answer",
    4,
    async (stage, attacker) => {
      const conn = await stage.connect();
      const host = stage.hostile;
      const headers = from(attacker);
      await writeAll(conn, utf8(headOf({ host, path: "/unread", headers })));
      await flood(conn, PART);
    },
    { only: "https" },
  ),
  attack(
    "S3-app-messages",
    "an app sends 62 MiB of a message that does not end, through 40 tunnels",
    40,
    (stage, attacker) => tunnel(stage, attacker, "unfinished", discard),
  ),
  attack(
    "S3-app-frames",
    "an app sends 62 MiB of a frame that does not end, through 40 tunnels",
    40,
    (stage, attacker) => tunnel(stage, attacker, "unfinished-frame", discard),
  ),
  attack(
    "S3-client-messages",
    "a client sends 62 MiB of a message that does not end, through 40 tunnels, at 2.5 Gbit/s",
    40,
    (stage) =>
      tunnel(stage, ONE, "sink", async (conn) => {
        const reading = discard(conn);
        await sendUnfinished(conn);
        await reading;
      }),
    {
      limit: {
        promises: {},
        reason:
          "clients who send 2 GB/s, as only the same machine can, fill the memory within one turn of the event loop, before anything can be dropped: Deno reads a message to its end and tells nothing of it",
      },
    },
  ),
  attack(
    "S3-unread-apps",
    "40 clients send messages to an app that does not read",
    40,
    (stage, attacker) =>
      tunnel(stage, attacker, "unread", async (conn) => {
        const reading = discard(conn);
        await flood(conn, clientFrame(2, PART));
        await reading;
      }),
    {
      limit: {
        over: "http",
        promises: { medianMs: 500, p99Ms: 1500 },
        reason:
          "without our own TLS, Deno reads the messages of 40 such clients unasked, which makes turns of the event loop of 15 to 50 ms, and a message through a tunnel and back takes several; the check of the process and pages are answered within 100 ms",
      },
    },
  ),
  attack(
    "S3-unread-tunnels",
    "200 clients do not read the messages that an app sends them",
    200,
    (stage, attacker) =>
      tunnel(stage, attacker, "large-messages", () => hold(stage)),
  ),
  attack(
    "S3-unread-of-one",
    "a client does not read what an app sends it through 295 tunnels, and others send a MiB",
    295,
    (stage) => tunnel(stage, ONE, "medium-messages", () => hold(stage)),
    {
      settings: {
        MAX_TUNNELS: "600",
        MAX_TUNNELS_PER_CLIENT: "295",
        MAX_CONCURRENT_EXCHANGES: "800",
        MAX_EXCHANGES_PER_CLIENT: "400",
      },
      spares: ["large"],
    },
  ),
  attack(
    "S3-unread-downloads",
    "300 clients do not read what they download",
    300,
    async (stage, attacker) => {
      const conn = await stage.connect();
      const headers = from(attacker);
      const head = headOf({ host: stage.hostile, path: "/bytes", headers });
      await writeAll(conn, utf8(head));
      await hold(stage);
    },
  ),
  attack(
    "S3-pings-unread",
    "40 clients send Pings and do not read the Pongs",
    40,
    (stage, attacker) =>
      tunnel(
        stage,
        attacker,
        "sink",
        (conn) => flood(conn, clientFrame(9, PART.subarray(0, 125))),
      ),
    {
      limit: {
        over: "https",
        promises: { p99Ms: 2000 },
        reason:
          "over our own TLS the buffers of 40 clients take seconds to fill, in which Deno answers their Pings without a turn of the event loop",
      },
    },
  ),
  attack(
    "A25-slow-heads",
    "500 clients send 60 KiB of a head that does not end",
    500,
    async (stage) => {
      const conn = await stage.connect();
      await writeAll(
        conn,
        utf8(
          `GET / HTTP/1.1\r\nHost: ${stage.hostile}\r\n${
            "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
              .repeat(90)
          }${`Y: ${"a".repeat(50_000)}`}`,
        ),
      );
      await hold(stage);
    },
  ),
];
