/**
 * Answers in one piece that their clients have yet to take. A client of HTTP/2 need not take any: it opens no window for
 * their bodies (RFC 9113 section 5.2), asks for others meanwhile, and Deno keeps all. So answers of the gateway's own,
 * which need no sandbox and no login, are counted for each client and in all until they are taken, and connections on
 * which nothing moves are closed.
 */
import { LinkedList, type ListNode } from "../../lib/linked_list.ts";
import type { ClientSocket } from "./handler.ts";

/** An answer that was sent, and how to tell what becomes of it. */
export interface SentAnswer {
  /** Its client's network, see `clientKey()`. */
  readonly client: string;
  /** Settles once the client has taken the answer, or left. */
  readonly delivered: Promise<void>;
  /** The client's connection; undefined if that is not ours to close. */
  readonly socket: ClientSocket | undefined;
}

/** An answer that waits. */
interface Waiting extends SentAnswer {
  readonly isOwn: boolean;
  /** Since when it waits, ms. */
  readonly sentAt: number;
  /** Since when its connection has not been seen to move, ms, and what had been sent by then, bytes. */
  since: number;
  sentBytes: number;
  place: ListNode<Waiting> | undefined;
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

/** A connection on which nothing was sent for so long, while something is there to be taken, is closed, ms. */
const STILL_MS = 30_000;

/** So is one on which anything else moves, such as answers to PINGs, while an answer waits for so long, ms. */
const MAX_WAIT_MS = 120_000;

/** One on which an answer has waited for so long may be closed for another client's answer, ms. */
const WAIT_BESIDE_OTHERS_MS = 1_000;

export class UntakenAnswers {
  readonly #options: UntakenOptions;
  readonly #maxOfClient: number;
  /** Those that have waited for longest come first. */
  readonly #waiting = new LinkedList<Waiting>();
  /** How many of the gateway's own each client has left untaken. */
  readonly #ofClient = new Map<string, number>();
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
    return (this.#ofClient.get(client) ?? 0) >= this.#maxOfClient;
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
    const until = this.#options.now() - STILL_MS;
    for (const waiting of this.#waiting) {
      if (waiting.since > until) return;
      this.#closeIfStill(waiting);
    }
  }

  /** Closes a connection of the client with most, if it has more than the one who asks; false if there is none. */
  #makeRoom(ofAsking: number): boolean {
    let most = ofAsking;
    let greediest: string | undefined;
    for (const [client, count] of this.#ofClient) {
      if (count > most) [greediest, most] = [client, count];
    }
    if (greediest === undefined) return false;
    const until = this.#options.now() - WAIT_BESIDE_OTHERS_MS;
    for (const waiting of this.#waiting) {
      const { sentAt, client, isOwn, socket } = waiting;
      const isMeant = isOwn && client === greediest && sentAt <= until;
      if (!isMeant || socket === undefined) continue;
      this.#close(waiting, socket);
      return true;
    }
    return false;
  }

  /** Closes a connection unless it has moved since it was looked at: then it is looked at again later, but not for ever. */
  #closeIfStill(waiting: Waiting): void {
    const { socket, sentBytes, sentAt } = waiting;
    const isLate = this.#options.now() - sentAt >= MAX_WAIT_MS;
    if (socket && (isLate || socket.sentBytes === sentBytes)) {
      return this.#close(waiting, socket);
    }
    this.#leave(waiting);
    this.#join(waiting);
  }

  #close(waiting: Waiting, socket: ClientSocket): void {
    this.#leave(waiting);
    socket.close();
    this.#options.onClosed?.();
  }

  #add(answer: SentAnswer, isOwn: boolean): void {
    const { client, delivered, socket } = answer;
    const waiting = {
      client,
      delivered,
      socket,
      isOwn,
      sentAt: this.#options.now(),
      since: 0,
      sentBytes: 0,
      place: undefined,
    };
    this.#join(waiting);
    const leave = () => {
      this.#leave(waiting);
      if (isOwn) this.#release(client);
    };
    delivered.then(leave, leave);
  }

  #join(waiting: Waiting): void {
    waiting.since = this.#options.now();
    waiting.sentBytes = waiting.socket?.sentBytes ?? 0;
    waiting.place = this.#waiting.add(waiting);
  }

  #leave({ place }: Waiting): void {
    if (place !== undefined) this.#waiting.remove(place);
  }

  #release(client: string): void {
    this.#own--;
    const left = (this.#ofClient.get(client) ?? 0) - 1;
    if (left > 0) this.#ofClient.set(client, left);
    else this.#ofClient.delete(client);
  }
}
