/**
 * Answers in one piece that their clients have yet to take. A client of HTTP/2 need not take any: it opens no window for
 * their bodies (RFC 9113 section 5.2), asks for others meanwhile, and Deno keeps all. So answers of the gateway's own,
 * which need no sandbox and no login, are counted for each client and in all until they are taken, and connections on
 * which nothing moves are closed.
 */
import { LinkedList, type ListNode } from "../../lib/linked_list.ts";
import { Lru } from "../../lib/lru.ts";
import type { ClientSocket } from "./handler.ts";

/** An answer that was sent, and how to tell what becomes of it. */
export interface SentAnswer {
  /** Its client's network, see `clientKey()`. */
  readonly client: string;
  /** Settles once the client has taken the answer, or left. */
  readonly delivered: Promise<void>;
  /** The client's connection; undefined if that is not ours to close, or carries others' requests, too. */
  readonly socket: ClientSocket | undefined;
}

/** An answer that waits. */
interface Waiting extends Omit<SentAnswer, "delivered"> {
  readonly isOwn: boolean;
  /** Since when it waits, ms. */
  readonly sentAt: number;
  /** Since when its connection has not been seen to move, ms. */
  stillSince: number;
  /** How much that had been sent at the last look, bytes; undefined before the first, as the answer itself is on its way. */
  sentBytes: number | undefined;
}

interface UntakenOptions {
  /** Most answers of our own at once. */
  readonly max: number;
  /** Milliseconds; a clock that nobody sets. */
  readonly now: () => number;
  /** Called for each connection that is closed. */
  readonly onClosed?: () => void;
}

/** The share of all that one client may leave untaken, and the most, which is what a browser has under way. */
const CLIENT_SHARE = 1 / 4;
const MAX_OF_CLIENT = 100;

/** A connection on which nothing is seen to be sent for so long, while something is there to be taken, is closed, ms. */
const STILL_MS = 30_000;

/** So is one on which anything else moves, such as answers to PINGs, while an answer waits for so long, ms. */
const MAX_WAIT_MS = 120_000;

/** One on which an answer has waited for so long may be closed for another client's answer, ms. */
const WAIT_BESIDE_OTHERS_MS = 1_000;

/** A client that had to make room may leave so much of its share for so long, ms: it would come back, and take that room. */
const GREEDY_SHARE = 1 / 8;
const GREEDY_MS = 60_000;

/** The clients of which that is remembered. */
const MAX_GREEDY = 1000;

export class UntakenAnswers {
  readonly #options: UntakenOptions;
  readonly #maxOfClient: number;
  /** Answers that have waited for longest come first. */
  readonly #waiting = new LinkedList<Waiting>();
  /** How many of the gateway's own each client has left untaken. */
  readonly #ofClient = new Map<string, number>();
  /** When each client had to make room last, ms. */
  readonly #greedy = new Lru<string, number>({ max: MAX_GREEDY });
  #own = 0;

  constructor(options: UntakenOptions) {
    const share = Math.floor(CLIENT_SHARE * options.max);
    this.#options = options;
    this.#maxOfClient = Math.max(1, Math.min(MAX_OF_CLIENT, share));
  }

  /** How many answers wait to be taken. */
  get count(): number {
    return this.#waiting.size;
  }

  /** Has a connection closed on which an answer waits, and nothing moves. */
  watch(answer: SentAnswer): void {
    this.#add(answer, false);
  }

  /** Whether a client has left so many answers of our own untaken that it gets no other. */
  isFull(client: string): boolean {
    const madeRoomAt = this.#greedy.get(client) ?? -Infinity;
    const isGreedy = this.#options.now() - madeRoomAt < GREEDY_MS;
    const max = this.#maxOfClient * (isGreedy ? GREEDY_SHARE : 1);
    return (this.#ofClient.get(client) ?? 0) >= max;
  }

  /** Counts an answer of our own, and watches it; false, and neither, if the client or all have too many already. */
  admit(answer: SentAnswer): boolean {
    const { client } = answer;
    if (this.isFull(client)) return false;
    const ofClient = this.#ofClient.get(client) ?? 0;
    if (this.#own >= this.#options.max && !this.#makeRoom(ofClient)) {
      return false;
    }
    this.#own++;
    this.#ofClient.set(client, ofClient + 1);
    this.#add(answer, true);
    return true;
  }

  /** Closes connections on which nothing moves; to be called every few seconds. */
  tick(): void {
    const now = this.#options.now();
    const still = new Set<ClientSocket>();
    for (const waiting of this.#waiting) {
      const { socket, sentAt } = waiting;
      if (socket === undefined) continue;
      if (socket.sentBytes !== waiting.sentBytes) {
        waiting.sentBytes = socket.sentBytes;
        waiting.stillSince = now;
      }
      const stillMs = now - waiting.stillSince;
      if (stillMs >= STILL_MS || now - sentAt >= MAX_WAIT_MS) still.add(socket);
    }
    this.#close(still);
  }

  /** Closes a connection of the client with most, if it has more than the one who asks; false if there is none. */
  #makeRoom(ofAsking: number): boolean {
    const until = this.#options.now() - WAIT_BESIDE_OTHERS_MS;
    let most = ofAsking;
    let chosen: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.sentAt > until) break;
      const ofClient = this.#ofClient.get(waiting.client) ?? 0;
      if (!waiting.isOwn || !waiting.socket || ofClient <= most) continue;
      [chosen, most] = [waiting, ofClient];
    }
    if (chosen?.socket === undefined) return false;
    this.#greedy.set(chosen.client, this.#options.now());
    this.#close(new Set([chosen.socket]));
    return true;
  }

  /** Closes connections, on which nothing waits then. */
  #close(sockets: ReadonlySet<ClientSocket>): void {
    if (sockets.size === 0) return;
    for (const place of this.#waiting.nodes()) {
      const { socket } = place.member;
      if (socket !== undefined && sockets.has(socket)) this.#leave(place);
    }
    for (const socket of sockets) {
      socket.close();
      this.#options.onClosed?.();
    }
  }

  #add({ client, delivered, socket }: SentAnswer, isOwn: boolean): void {
    const now = this.#options.now();
    const place = this.#waiting.add({
      client,
      socket,
      isOwn,
      sentAt: now,
      stillSince: now,
      sentBytes: undefined,
    });
    const leave = () => this.#leave(place);
    delivered.then(leave, leave);
  }

  #leave(place: ListNode<Waiting>): void {
    if (!place.isTaken) return;
    this.#waiting.remove(place);
    const { isOwn, client } = place.member;
    if (!isOwn) return;
    this.#own--;
    const left = (this.#ofClient.get(client) ?? 0) - 1;
    if (left > 0) this.#ofClient.set(client, left);
    else this.#ofClient.delete(client);
  }
}
