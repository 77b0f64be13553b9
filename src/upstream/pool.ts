import type { Connection, ConnectionHolder } from "./connection.ts";
import { UpstreamError } from "./errors.ts";

/** Bounds of the idle connections: how long one may rest, in milliseconds, how many for one origin, and for all. */
export interface PoolLimits {
  readonly idleTimeoutMs: number;
  readonly maxIdlePerOrigin: number;
  readonly maxIdle: number;
}

/** Idle connections by origin; the one used last is used next, so that a surplus grows old and is dropped. */
export class Pool implements ConnectionHolder {
  readonly #limits: PoolLimits;
  readonly #idle = new Map<string, Connection[]>();
  #size = 0;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** How many connections are idle. */
  get size(): number {
    return this.#size;
  }

  /** Takes the youngest connection to an origin that is still good, undefined without one. */
  take(originKey: string, now: number): Connection | undefined {
    const idle = this.#idle.get(originKey);
    if (idle === undefined) return undefined;
    this.#dropExpired(idle, now);
    for (
      let youngest = idle.pop();
      youngest !== undefined;
      youngest = idle.pop()
    ) {
      this.#size--;
      // Octets that came before the request would be taken for its response.
      if (youngest.clean) {
        youngest.begin();
        return youngest;
      }
      youngest.fail(
        new UpstreamError("connection_lost", "idle connection ended"),
      );
    }
    return undefined;
  }

  /** Keeps a connection for the next exchange, unless there are enough. */
  put(connection: Connection, now: number): void {
    let idle = this.#idle.get(connection.originKey);
    if (idle === undefined) this.#idle.set(connection.originKey, idle = []);
    if (idle.length >= this.#limits.maxIdlePerOrigin) {
      return connection.fail(enough());
    }
    if (this.#size >= this.#limits.maxIdle) this.#dropOldest();
    idle.push(connection);
    this.#size++;
    connection.holder = this;
    connection.rest(now);
  }

  /** Closes what has been idle for too long. */
  expire(now: number): void {
    for (const [originKey, idle] of this.#idle) {
      this.#dropExpired(idle, now);
      if (idle.length === 0) this.#idle.delete(originKey);
    }
  }

  #dropExpired(idle: readonly Connection[], now: number): void {
    for (let oldest = idle[0]; oldest !== undefined; oldest = idle[0]) {
      if (now - oldest.idleSince < this.#limits.idleTimeoutMs) return;
      oldest.fail(new UpstreamError("closed", "idle for too long"));
    }
  }

  /** Makes room for one more. */
  #dropOldest(): void {
    let oldest: Connection | undefined;
    for (const [first] of this.#idle.values()) {
      if (first === undefined) continue;
      if (oldest === undefined || first.idleSince < oldest.idleSince) {
        oldest = first;
      }
    }
    oldest?.fail(enough());
  }

  /** Forgets a connection that ended while it was idle. */
  connectionFailed(connection: Connection): void {
    const idle = this.#idle.get(connection.originKey) ?? [];
    const index = idle.indexOf(connection);
    if (index < 0) return;
    idle.splice(index, 1);
    this.#size--;
  }
}

function enough(): UpstreamError {
  return new UpstreamError("closed", "enough idle connections");
}
