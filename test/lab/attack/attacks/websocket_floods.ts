/** S1: what an app sends through a tunnel without end, to whoever opens one. */
import { discard } from "../../../support/dial.ts";
import { handshakeOf, openWebSocket } from "../../../support/raw_websocket.ts";
import type { Arena, Flood } from "../attack.ts";
import { persist } from "../persist.ts";

/** Floods at once: one was enough. */
const FLOODS = 3;

function fromApp(
  name: string,
  path: string,
  about: string,
  more: Partial<Flood> = {},
): Flood {
  return {
    name: `S1-${name}`,
    about: `an app sends ${about} through ${FLOODS} tunnels, without end`,
    keepsUp: true,
    ...more,
    run: (stage) => persist(stage, FLOODS, () => listen(stage, path)),
  };
}

/** Opens a tunnel and discards what comes. */
async function listen(stage: Arena, path: string): Promise<void> {
  const conn = await stage.connect();
  await openWebSocket(conn, handshakeOf(stage.hostile, `/ws/${path}`));
  await discard(conn);
}

/** The attacks. */
export const websocketFloods: readonly Flood[] = [
  fromApp("pongs", "pongs", "Pongs", { short: "http" }),
  fromApp("pings", "pings", "Pings"),
  fromApp("empty-fragments", "empty-fragments", "empty fragments"),
  fromApp("byte-fragments", "byte-fragments", "fragments of one byte"),
  fromApp("empty-messages", "empty-messages", "empty messages"),
  fromApp("tiny-messages", "tiny-messages", "messages of one byte"),
  fromApp("large-messages", "large-messages", "messages of 64 KiB"),
];
