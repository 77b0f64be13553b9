/** A connection that lasts, though its clients come and go. */
import {
  backoffMs,
  type Sleep,
  sleep as realSleep,
} from "../../lib/backoff.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { Watch } from "../store.ts";
import { hasErrorCode, withoutArguments } from "./error_reply.ts";
import {
  type RedisClient,
  type RedisCommands,
  STALL_MS,
} from "./redis_client.ts";

const BACKOFF = { baseMs: 100, maxMs: 5_000 };

interface RedisConnectionOptions {
  /** The server's name in error messages. */
  readonly server: string;
  readonly open: (signal: AbortSignal) => Promise<RedisClient>;
  /** A monotonic clock, ms. */
  readonly now: () => number;
  readonly sleep?: Sleep;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/** When a server was last heard: what it had pushed until then has arrived. */
export class Heard implements Watch {
  readonly now: () => number;
  /** When the latest command was sent that has been answered, ms by that clock. */
  at = -Infinity;

  constructor(now: () => number) {
    this.now = now;
  }

  heardWithin(ms: number): boolean {
    return this.now() - this.at < ms;
  }
}

/** The current client, and what is needed to tell that its server has stopped replying. */
export interface ActiveClient extends RedisClient {
  heard: Heard;
  /** Commands in flight. */
  pending: number;
  /** While commands are in flight: the time of the last reply, or of the first of these commands, ms by that clock. */
  silentSince: number;
}

/** A connection that is opened in the background, and reopened whenever it ends, until it is closed. */
export class RedisConnection {
  readonly #options: Required<RedisConnectionOptions>;
  readonly #closing = new AbortController();
  #active: ActiveClient | undefined;
  #attempt = deferred();
  #problem: Error;
  readonly #beginnings: ((client: ActiveClient) => void)[] = [];

  constructor(options: RedisConnectionOptions) {
    this.#options = { sleep: realSleep, random: Math.random, ...options };
    this.#problem = this.#notConnected(undefined);
    this.#maintain();
  }

  /** Resolves once there is a connection; rejects with the reason if the current attempt fails. */
  connected(): Promise<void> {
    return this.#attempt.promise;
  }

  /** Sends a command and resolves with its reply; rejects at once if there is no connection. */
  async send<T>(command: (commands: RedisCommands) => Promise<T>): Promise<T> {
    const { now } = this.#options;
    const current = this.#active;
    if (current === undefined) throw this.#problem;
    if (current.pending === 0) current.silentSince = now();
    const isCluster = current.primaries !== undefined;
    if (!isCluster && now() - current.silentSince > STALL_MS) stalled(current);
    current.pending++;
    const sentAt = now();
    try {
      const replying = command(current.commands);
      // One node's silence shows in what it was asked alone.
      const { signal } = this.#closing;
      if (isCluster && !await fulfilsWithin(replying, STALL_MS, signal)) {
        stalled(current);
      }
      const reply = await replying;
      current.heard.at = sentAt;
      return reply;
    } catch (cause) {
      // After a failover, the former primary keeps its connections; its name may resolve to the new one by now. And what
      // loads its data is there only once it has.
      if (hasErrorCode(cause, "READONLY", "LOADING")) current.end(cause);
      throw withoutArguments(cause);
    } finally {
      current.pending--;
      current.silentSince = now();
    }
  }

  /** Has that done on the current connection and on each later one, as a subscription ends with its connection. */
  onEachConnection(begin: (client: ActiveClient) => void): void {
    this.#beginnings.push(begin);
    if (this.#active !== undefined) begin(this.#active);
  }

  close(): void {
    this.#closing.abort();
  }

  async #maintain(): Promise<void> {
    const { open, sleep, random, now } = this.#options;
    const { signal } = this.#closing;
    let failed = 0;
    while (!signal.aborted) {
      try {
        const client = await open(signal);
        const heard = new Heard(now);
        const active = { ...client, pending: 0, silentSince: 0, heard };
        this.#active = active;
        failed = 0;
        this.#attempt.resolve();
        for (const begin of this.#beginnings) begin(active);
        this.#problem = this.#notConnected(await client.ended);
        this.#active = undefined;
      } catch (reason) {
        this.#problem = this.#notConnected(reason);
        this.#attempt.reject(this.#problem);
      }
      this.#attempt = deferred();
      await sleep(backoffMs(++failed, BACKOFF, random), signal).catch(() => {});
    }
    this.#attempt.reject(this.#problem);
  }

  #notConnected(cause: unknown): Error {
    const message = `Not connected to Redis at ${this.#options.server}`;
    return new Error(message, { cause });
  }
}

/** @throws always: ends a connection whose server has not replied. */
function stalled(client: RedisClient): never {
  const reason = new Error(`No reply within ${STALL_MS} ms`);
  client.end(reason);
  throw reason;
}

/** Creates a promise that may reject without being awaited. */
function deferred(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => {});
  return resolvers;
}
