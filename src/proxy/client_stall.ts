/** Notices that the client of a tunnel takes nothing. */
import type { SendQueue } from "../downstream/websocket/send_queue.ts";

/** As long as it may take nothing of what is queued for it, ms. */
const STALL_TIMEOUT_MS = 60_000;

/**
 * A client's progress: Deno's idle timeout does not end one that has stalled, because its Ping waits behind the bytes that
 * the client does not take.
 */
export class ClientStall {
  readonly #client: Pick<WebSocket, "readyState">;
  readonly #queue: Pick<SendQueue, "takenBytes" | "isWaiting">;
  #takenBytes = 0;
  #stalledMs = 0;

  constructor(
    client: Pick<WebSocket, "readyState">,
    queue: Pick<SendQueue, "takenBytes" | "isWaiting">,
  ) {
    this.#client = client;
    this.#queue = queue;
  }

  /** True if it has taken nothing for too long, so many ms after the last look. */
  isTooLong(sinceMs: number): boolean {
    const takenBefore = this.#takenBytes;
    this.#takenBytes = this.#queue.takenBytes;
    const isStalled = this.#client.readyState !== WebSocket.OPEN ||
      (this.#queue.isWaiting && this.#takenBytes === takenBefore);
    this.#stalledMs = isStalled ? this.#stalledMs + sinceMs : 0;
    return this.#stalledMs >= STALL_TIMEOUT_MS;
  }
}
