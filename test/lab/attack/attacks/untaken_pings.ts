/**
 * Clients of HTTP/2 that take nothing of the pages that they ask for, and look alive by PINGs (RFC 9113 section 6.7): they
 * would have all the places of answers that wait.
 */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { setInterval } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { CA } from "../../../support/certificates.ts";
import { FRAME, frame, PREFACE } from "../../../support/http2_frames.ts";
import { concat } from "../../../support/wire_frames.ts";
import { type Attack, BASE } from "../attack.ts";
import { persist } from "../persist.ts";
import { BURST, NO_WINDOW, requests } from "./untaken.ts";

/** Addresses of the loopback device that are no trusted proxy's: the places of all in 512 MiB are those of five. */
const ATTACKERS = 8;
const FIRST_ADDRESS = 2;

/** Each sends one so often, and another client asks for a page so often, ms. */
const PING_EVERY_MS = 500;
const ASK_EVERY_MS = 500;

/** The attackers have what they asked for by then, and a client may have another's connection closed, ms. */
const BEGIN_MS = 4000;

const PAGE = { path: "/none", accept: "text/html" };

const PING = frame(FRAME.ping, new Uint8Array(8));

const TLS = { ca: CA, servername: "localhost" };

/** Connects from an address of its own. */
async function connectFrom(
  localAddress: string,
  port: number,
): Promise<TLSSocket> {
  const at = { host: "127.0.0.1", port, localAddress };
  const socket = connectTls({ ...TLS, ...at, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  return socket;
}

/** The length of a page that is taken at once, bytes. */
async function pageLength(port: number): Promise<number> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, TLS);
  try {
    const stream = session.request({
      ":authority": BASE,
      ":path": PAGE.path,
      accept: PAGE.accept,
    });
    let length = 0;
    for await (const chunk of stream) length += chunk.length;
    return length;
  } finally {
    session.close();
  }
}

/** The attack. */
export const untakenPings: Attack = {
  name: "h2-untaken-pings",
  about:
    `${ATTACKERS} addresses ask 100 times each for a page that there is not, take nothing, and send PINGs all the time: another client gets its page`,
  only: "https",
  lastsMs: 15_000,
  limit: BURST,
  async run(stage) {
    const { port, signal } = stage;
    const attacking = persist(stage, ATTACKERS, async (attacker) => {
      const address = `127.0.0.${FIRST_ADDRESS + attacker}`;
      const socket = await connectFrom(address, port);
      const end = () => socket.destroy();
      signal.addEventListener("abort", end);
      try {
        socket.resume();
        socket.write(concat(PREFACE, NO_WINDOW, requests(stage, BASE, PAGE)));
        const closed = once(socket, "close");
        const timer = globalThis.setInterval(
          () => socket.write(PING),
          PING_EVERY_MS,
        );
        await closed.finally(() => clearInterval(timer));
      } finally {
        signal.removeEventListener("abort", end);
        end();
      }
    });
    const startedAt = performance.now();
    let asked = 0;
    let refused = 0;
    try {
      for await (const _ of setInterval(ASK_EVERY_MS, undefined, { signal })) {
        if (performance.now() - startedAt < BEGIN_MS) continue;
        asked++;
        if (await pageLength(port) === 0) refused++;
      }
    } catch {
      // The time is up.
    }
    await attacking;
    return refused === 0
      ? []
      : [`${refused} of ${asked} pages of another client came without a body`];
  },
};
