/**
 * Tells when a client floods its WebSocket. Deno reads a client's WebSocket by itself: nothing can make it yield between
 * the frames that have arrived, up to 150,000 in a row. Closing the WebSocket is all that can be done.
 */
import { setImmediate } from "node:timers";
import { FloodGauge } from "../lib/flood_gauge.ts";
import { watchFrames } from "../platform/client_pongs.ts";

/** Most Pongs within a second: a client is sent one Ping in 50 s. */
const PONGS_PER_SECOND = 4096;

/** Most messages without a turn of the event loop. Only of messages of less than 60 bytes can so many come. */
const MESSAGES_PER_TURN = 16 * 1024;

/** From so many messages on, the turn of the event loop is watched for. */
const WATCHED_MESSAGES = 1024;

/** Counts the frames of one client. */
export class ClientFloods {
  readonly #pongs = new FloodGauge({
    perSecond: PONGS_PER_SECOND,
    now: () => performance.now(),
  });
  readonly #onFlood: (reason: string) => void;
  /** At least the number since the last turn. */
  #messages = 0;

  /** @param onFlood Called amid the flood, perhaps more than once. */
  constructor(client: WebSocket, onFlood: (reason: string) => void) {
    this.#onFlood = onFlood;
    watchFrames(client, () => this.#countPong());
  }

  /** Counts a message; true if it is one too many. */
  countMessage(): boolean {
    this.#pongs.takeBack();
    if (++this.#messages === WATCHED_MESSAGES) {
      setImmediate(() => this.#messages = 0);
    }
    if (this.#messages <= MESSAGES_PER_TURN) return false;
    this.#onFlood("too many messages at once");
    return true;
  }

  /** Counts a Pong, or a message, which is taken back. */
  #countPong(): void {
    if (this.#pongs.add()) this.#onFlood("too many Pongs");
  }
}
