/** The connections whose handshake has not finished: somebody who never finishes any must not use up the open files. */
import type { Socket } from "node:net";

/** What identifies a connection, before its handshake and after. */
type Peer = Partial<Pick<Socket, "remoteAddress" | "remotePort">>;
type Connection = Peer & { destroy(): void };

/** The unfinished handshakes, up to a number beyond which the oldest is dropped: an honest one takes the shortest time. */
export class HandshakeLimit {
  readonly #max: number;
  readonly #unfinished = new Map<string, Connection>();

  constructor(max: number) {
    this.#max = max;
  }

  begin(connection: Connection): void {
    this.end(connection); // an earlier one of the same port, whose end was not noted
    this.#unfinished.set(keyOf(connection), connection);
    if (this.#unfinished.size <= this.#max) return;
    const [oldest] = this.#unfinished.values();
    if (oldest === undefined) return;
    this.end(oldest);
    oldest.destroy();
  }

  dropAll(): void {
    for (const connection of this.#unfinished.values()) connection.destroy();
    this.#unfinished.clear();
  }

  end(peer: Peer): void {
    this.#unfinished.delete(keyOf(peer));
  }
}

function keyOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}
