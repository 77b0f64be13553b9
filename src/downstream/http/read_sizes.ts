/**
 * Deno 2.9.6, HTTP/1.1: with a read of a request body, as many bytes are taken from the socket as any read on this
 * connection has had room for, also one of an earlier request (see chunked_body.ts), and 1 KiB at least.
 *
 * Instead, connections are remembered on which a read had more room; and how long the chunks of the last upload were.
 */
import { Lru } from "../../lib/lru.ts";

/** The most room of a read, and that where none is given, bytes. */
export const MAX_ROOM_BYTES = 64 * 1024;

/** Reads with more room take so much that it matters how it is decoded, bytes: 16 KiB in chunks of one byte take 4 ms. */
const LARGE_ROOM_BYTES = 16 * 1024;

/** The least room of a read, bytes. A chunk with longer extensions is never returned. */
export const MIN_ROOM_BYTES = 1024;

const MAX_CONNECTIONS = 20_000;

/** What reads have had room for, by connection. */
export class ReadSizes {
  readonly #rooms = new Lru<string, number>({ max: MAX_CONNECTIONS });
  readonly #chunks = new Lru<string, number>({ max: MAX_CONNECTIONS });

  /** The most that a read on a connection has had room for, bytes; or on one before it from the same address. */
  largestOf(connection: string): number {
    return this.#rooms.get(connection) ?? MIN_ROOM_BYTES;
  }

  /** True if a read on a connection has had room for much, which is taken of an upload that nobody reads, too. */
  isLarge(connection: string): boolean {
    return this.largestOf(connection) > LARGE_ROOM_BYTES;
  }

  note(connection: string, bytes: number): void {
    if (bytes > this.largestOf(connection)) this.#rooms.set(connection, bytes);
  }

  /** The last chunk of the upload before on a connection, bytes; 0 if none was long, or there was none. */
  lastChunkOf(connection: string): number {
    return this.#chunks.get(connection) ?? 0;
  }

  noteChunk(connection: string, bytes: number): void {
    if (bytes > MIN_ROOM_BYTES) this.#chunks.set(connection, bytes);
    else this.#chunks.delete(connection);
  }
}
