/** Server-assisted client-side caching (Redis 6): the server pushes the names of keys that were read and have changed. */
import { ErrorReply } from "@redis/client";
import type { Watch } from "../store.ts";
import { type Connected, Heard } from "./redis_connection.ts";

interface TrackingOptions {
  /** Called with the name of each key that was read here, once another client changes it, it expires or is evicted. */
  readonly onChange: (name: string) => void;
  /** Called with the server's reply if it does not do that for us. */
  readonly onRefusal: (reply: unknown) => void;
}

/** Has the server track what is read, on one connection after another. */
export class Tracking {
  readonly #options: TrackingOptions;
  /** Tells of changes to what is read from now on; null while nothing does. */
  watch: Watch | null = null;

  constructor(options: TrackingOptions) {
    this.#options = options;
  }

  /** Follows a connection to its end; never rejects. */
  async follow(client: Connected): Promise<void> {
    const { onChange, onRefusal } = this.#options;
    client.commands.on("invalidate", (name) => {
      if (name !== null) return onChange(String(name));
      // All are gone, and tracked no longer: what was read so far is re-read by time.
      this.watch = client.heard = new Heard(client.heard.now);
    });
    try {
      // Our own writes are not pushed to us; they end the tracking of their key.
      await client.commands.clientTracking(true, { NOLOOP: true });
    } catch (failure) {
      if (failure instanceof ErrorReply) onRefusal(failure);
      return;
    }
    this.watch = client.heard;
    await client.ended;
    this.watch = null;
  }
}
