/** Tells when a client floods its WebSocket: Deno reads up to 150,000 frames in a row, and only closing it can end that. */
import { setImmediate } from "node:timers";
import { createFloodGauge } from "../../lib/flood_gauge.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import { watchPongs } from "../../platform/client_pongs.ts";

/** Most Pongs within a second: a client is sent one Ping in 50 s. */
const PONGS_PER_SECOND = 4096;

/** Most messages without a turn of the event loop, for which many are watched. Only less than 60 bytes come so many. */
const MESSAGES_PER_TURN = 16 * 1024;
const WATCHED_MESSAGES = 1024;

/** A message up to so many bytes, or UTF-16 code units, takes as long as an empty one. */
const SHORT_LENGTH = 100;

/** Most short messages within a second: each takes the gateway 4 µs, in which it does nothing else. */
const SHORT_MESSAGES_PER_SECOND = 16 * 1024;

/** As long as who has flooded a WebSocket may open no other, ms. */
export const FLOOD_BAN_MS = 10_000;

/** Most clients that are remembered; beyond it, the one whose flood was the first is forgotten. */
const MAX_BANNED_CLIENTS = 1000;

/** Most origins of a client that are banned one by one: with the last of them, the client is. */
const MAX_BANNED_ORIGINS = 4;

/** Longest origin that is told from others, characters: no browser's is longer. */
const MAX_ORIGIN_LENGTH = 300;

/**
 * Who has flooded a WebSocket: if they could open the next one at once, nothing would end their flood. Any page can flood
 * in its visitor's name, so only its own origin is banned at that address; programs, which have none, count as one.
 */
export class FloodBans {
  /** Origins by client. */
  readonly #banned: ExpiringLru<string, ReadonlySet<string>>;

  constructor(now: () => number) {
    const ttlMs = FLOOD_BAN_MS;
    this.#banned = new ExpiringLru({ max: MAX_BANNED_CLIENTS, ttlMs, now });
  }

  /** Bans a client's pages of an origin for {@linkcode FLOOD_BAN_MS}. */
  add(client: string, origin: string): void {
    const banned = this.#banned.get(client) ?? [];
    this.#banned.set(client, new Set([...banned, keyOf(origin)]));
  }

  has(client: string, origin: string): boolean {
    const banned = this.#banned.get(client);
    return banned !== undefined &&
      (banned.has(keyOf(origin)) || banned.size >= MAX_BANNED_ORIGINS);
  }
}

function keyOf(origin: string): string {
  return origin.slice(0, MAX_ORIGIN_LENGTH);
}

export class RateLimit {
  readonly #isShortFlood = createFloodGauge(SHORT_MESSAGES_PER_SECOND);
  readonly #onFlood: (reason: string) => void;
  readonly #isMessage: () => void;
  /** At least the number since the last turn. */
  #messages = 0;

  /** @param onFlood Called amid the flood, perhaps more than once. */
  constructor(client: WebSocket, onFlood: (reason: string) => void) {
    this.#onFlood = onFlood;
    const isPongFlood = createFloodGauge(PONGS_PER_SECOND);
    this.#isMessage = watchPongs(client, () => {
      if (isPongFlood()) onFlood("too many Pongs");
    });
  }

  /** Counts a message of this length; true if it is one too many. */
  countMessage(length: number): boolean {
    this.#isMessage();
    if (++this.#messages === WATCHED_MESSAGES) {
      setImmediate(() => this.#messages = 0);
    }
    const isFlood = length <= SHORT_LENGTH && this.#isShortFlood();
    if (!isFlood && this.#messages <= MESSAGES_PER_TURN) return false;
    this.#onFlood("too many messages at once");
    return true;
  }
}
