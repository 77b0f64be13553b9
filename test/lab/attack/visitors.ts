/** Innocent visitors of a gateway. */
import type { Endpoint } from "../../support/dial.ts";
import { handshakeOf } from "../../support/raw_websocket.ts";
import { Crowd, type SightsOf } from "../harness/crowd.ts";
import { BASE, hostOf, QUIET } from "./attack.ts";

/** What all visitors saw, by name. */
export type Sights = SightsOf<VisitorName>;

/** A check of the process, a page, a page on a new connection, and a message through a tunnel. */
export type VisitorName = "health" | "preview" | "arrival" | "tunnel";

/** Visitors are at another address than attackers. */
const ADDRESS = { "X-Forwarded-For": "192.0.2.1" };

const HEALTH = { host: BASE, path: "/health", headers: ADDRESS };
const PAGE = { host: hostOf(QUIET), path: "/", headers: ADDRESS };
const HANDSHAKE = handshakeOf(hostOf(QUIET), "/ws", ADDRESS);

/** Between two of a kind, ms. */
const PACE_MS = 40;

const MAX_WAITING = 200;

/** The names of all visitors. */
export const VISITORS: readonly VisitorName[] = [
  "health",
  "preview",
  "arrival",
  "tunnel",
];

/** Has all of them visit a gateway, each for as long as `patienceMs` ms at most. */
export function startVisitors(
  endpoint: Endpoint,
  patienceMs: number,
): Crowd<VisitorName> {
  const crowd = new Crowd<VisitorName>(endpoint, {
    patienceMs,
    maxWaiting: MAX_WAITING,
  });
  const client = crowd.client();
  const speaker = crowd.speaker(HANDSHAKE);
  let arrivals = 0;
  crowd.start({
    health: [PACE_MS, () => client.send(HEALTH)],
    preview: [PACE_MS, () => client.send(PAGE)],
    arrival: [PACE_MS, async () => {
      // Somebody else each time, at an address of their own: one that has 100 exchanges at once is refused more.
      using newcomer = crowd.newcomer();
      const address = `198.18.0.${arrivals++ % 250 + 1}`;
      const headers = { "X-Forwarded-For": address };
      return await newcomer.send({ ...PAGE, headers });
    }],
    tunnel: [PACE_MS, () => speaker.speak()],
  });
  return crowd;
}
