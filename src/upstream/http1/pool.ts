import type { Config } from "../../config/config.ts";
import { UpstreamError } from "../upstream_error.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";

/** Most idle connections to one origin, and to all of them. */
const MAX_IDLE_PER_ORIGIN = 1024;
const MAX_IDLE = 2048;

/** Idle connections by origin. The most recently used one is reused first, so that surplus ones expire. */
export class Pool implements ConnectionOwner {
  readonly #idleTimeoutMs: number;
  readonly #idle = new Map<string, Connection[]>();
  #size = 0;

  /** @param config How long a connection may be idle: less than upstreams allow, lest they close it amid a request. */
  constructor(config: Pick<Config["upstream"], "idleTimeoutMs">) {
    this.#idleTimeoutMs = config.idleTimeoutMs;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes the most recently used connection to an origin that is still usable; undefined if there is none. */
  take(originKey: string, now: number): Connection | undefined {
    const idle = this.#idle.get(originKey);
    if (idle === undefined) return undefined;
    this.#dropExpired(idle, now);
    let latest = idle.pop();
    for (; latest !== undefined; latest = idle.pop()) {
      this.#size--;
      // Bytes that arrived before the request would be taken for its response.
      if (latest.isReusable) {
        latest.startExchange();
        return latest;
      }
      latest.failIdle();
    }
    return undefined;
  }

  /** Keeps a connection for later, unless its origin has its maximum; if the pool is full, the oldest one is closed. */
  put(connection: Connection, now: number): void {
    let idle = this.#idle.get(connection.originKey);
    if (idle === undefined) this.#idle.set(connection.originKey, idle = []);
    if (idle.length >= MAX_IDLE_PER_ORIGIN) return connection.fail(poolFull());
    if (this.#size >= MAX_IDLE) this.#dropOldest();
    idle.push(connection);
    this.#size++;
    connection.owner = this;
    connection.markIdle(now);
  }

  expire(now: number): void {
    for (const [originKey, idle] of this.#idle) {
      this.#dropExpired(idle, now);
      if (idle.length === 0) this.#idle.delete(originKey);
    }
  }

  #dropExpired(idle: readonly Connection[], now: number): void {
    for (let oldest = idle[0]; oldest !== undefined; oldest = idle[0]) {
      if (now - oldest.idleSince < this.#idleTimeoutMs) return;
      oldest.fail(new UpstreamError("closed", "idle timeout"));
    }
  }

  #dropOldest(): void {
    let oldest: Connection | undefined;
    for (const [first] of this.#idle.values()) {
      if (first === undefined) continue;
      if (oldest === undefined || first.idleSince < oldest.idleSince) {
        oldest = first;
      }
    }
    oldest?.fail(poolFull());
  }

  /** Removes a connection that failed while it was idle. */
  connectionFailed(connection: Connection): void {
    const idle = this.#idle.get(connection.originKey) ?? [];
    const index = idle.indexOf(connection);
    if (index < 0) return;
    idle.splice(index, 1);
    this.#size--;
  }
}

function poolFull(): UpstreamError {
  return new UpstreamError("closed", "too many idle connections");
}
