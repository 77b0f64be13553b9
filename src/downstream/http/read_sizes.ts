/**
 * Deno 2.9.6, HTTP/1.1: with a read of a request body, as many bytes are taken from the socket as any read on this
 * connection has had room for, also one of an earlier request (see chunked_body.ts), and 1 KiB at least.
 *
 * Instead, connections are remembered on which a read had more room.
 */
import { LRUCache } from "lru-cache";

/** The room of a read where none is given, bytes. */
export const MAX_ROOM_BYTES = 64 * 1024;

/** The least room of a read, bytes. A chunk with longer extensions is never returned. */
export const MIN_ROOM_BYTES = 1024;

const MAX_CONNECTIONS = 20_000;

/** The most that reads have had room for, by connection. */
export class ReadSizes {
  readonly #rooms = new LRUCache<string, number>({ max: MAX_CONNECTIONS });

  /** The most that a read on a connection has had room for, bytes; or on one before it from the same address. */
  largestOf(connection: string): number {
    return this.#rooms.get(connection) ?? MIN_ROOM_BYTES;
  }

  note(connection: string, bytes: number): void {
    if (bytes > this.largestOf(connection)) this.#rooms.set(connection, bytes);
  }
}
