/**
 * The connections that nobody uses for the moment: between two requests, before the first, or with an answered one that
 * does not end. They have no timeout, and each takes memory: there is room for some, for which those of whoever has most
 * are closed (RFC 9112 section 9.5). Those in use are bounded as requests and WebSockets are.
 */

interface Connection {
  /** Its network, see {@linkcode clientKey}. */
  readonly client: string;
  /** How much it was sent, bytes: the last response may still be on its way, as over HTTP/2. */
  sentBytes(): number;
  close(): void;
}

/** Since when a connection is idle, and how much it had been sent by then. */
interface Idle {
  readonly since: number;
  readonly sentBytes: number;
}

/** The use of one connection. */
export interface ConnectionUse {
  /** A request has come, or another beside it. */
  begin(): void;
  /** One of them is over. */
  end(): void;
  /** The connection is closed, which ends all. */
  close(): void;
}

/** One idle for less may be about to send its next request, ms: it is not closed for another client, or for its own. */
const MIN_IDLE_MS = 100;
const MIN_IDLE_OF_OWN_MS = 2000;

export class IdleConnections {
  readonly #max: number;
  readonly #now: () => number;
  #count = 0;
  /** Connections of each client, idle for the longest time first. */
  readonly #idle = new Map<string, Map<Connection, Idle>>();

  /** @param max How many there may be */
  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
  }

  /** Adds a connection, which is idle at first. */
  add(connection: Connection): ConnectionUse {
    this.#rest(connection);
    let requests = 0;
    let isOpen = true;
    return {
      begin: () => {
        if (requests++ === 0) this.#remove(connection);
      },
      end: () => {
        if (--requests === 0 && isOpen) this.#rest(connection);
      },
      close: () => {
        isOpen = false;
        this.#remove(connection);
      },
    };
  }

  /** Whether there is room for another one of a client; if need be, one of whoever has more, or most, is closed for it. */
  makeRoom(client: string): boolean {
    if (this.#count < this.#max) return true;
    const own = this.#idle.get(client)?.size ?? 0;
    const now = this.#now();
    let most = own;
    let chosen: Connection | undefined;
    for (const [other, same] of this.#idle) {
      const isOwn = other === client;
      if (isOwn ? chosen !== undefined : same.size <= most) continue;
      const oldest = this.#oldestOf(same);
      const minMs = isOwn ? MIN_IDLE_OF_OWN_MS : MIN_IDLE_MS;
      if (oldest === undefined || now - oldest.since < minMs) continue;
      most = same.size;
      chosen = oldest.connection;
    }
    if (chosen === undefined) return false;
    this.#remove(chosen);
    chosen.close();
    return true;
  }

  #rest(connection: Connection): void {
    const { client } = connection;
    const same = this.#idle.get(client) ?? new Map<Connection, Idle>();
    this.#idle.set(client, same.set(connection, this.#idleNow(connection)));
    this.#count++;
  }

  /** The one that is idle for the longest time: those that were sent something since then are not. */
  #oldestOf(same: Map<Connection, Idle>) {
    for (const [connection, { since, sentBytes }] of same) {
      if (connection.sentBytes() === sentBytes) return { connection, since };
      same.delete(connection);
      same.set(connection, this.#idleNow(connection));
    }
    return undefined;
  }

  #idleNow(connection: Connection): Idle {
    return { since: this.#now(), sentBytes: connection.sentBytes() };
  }

  #remove(connection: Connection): void {
    const same = this.#idle.get(connection.client);
    if (!same?.delete(connection)) return;
    this.#count--;
    if (same.size === 0) this.#idle.delete(connection.client);
  }
}
