import { createClient } from "@redis/client";
import type { RedisLocation, RedisNode } from "../../config/cache_location.ts";
import {
  backoffMs,
  type Sleep,
  sleep as realSleep,
} from "../../lib/backoff.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { whyUnreadable } from "../../platform/permission_hint.ts";
import type { Watch } from "../store.ts";

const BACKOFF = { baseMs: 100, maxMs: 5_000 };

/** A connection without any reply for so long, ms, is dead: TCP may take a quarter of an hour to notice. */
export const STALL_MS = 2_000;

/** When a key expires, ms, and whether it must not exist yet (NX) or must (XX). */
interface SetOptions {
  expiration: { type: "PX"; value: number };
  condition?: "NX" | "XX";
}

export interface RedisCommands {
  get(key: string): Promise<string | null>;
  /** Milliseconds until the key expires; -1 if it has no expiry, -2 if there is no such key. */
  pTTL(key: string): Promise<number>;
  /** Null if the condition does not hold. */
  set(key: string, value: string, options: SetOptions): Promise<unknown>;
  del(key: string): Promise<unknown>;
  incrBy(key: string, count: number): Promise<number>;
  pExpire(key: string, ms: number): Promise<unknown>;
  /** The number of clients that were told; a node of a Cluster counts its own only. */
  publish(channel: string, message: string): Promise<number>;
  eval(
    script: string,
    options: { keys: string[]; arguments: string[] },
  ): Promise<unknown>;
  /** The server's own words, a line for each fact: `maxmemory_policy:noeviction`. */
  info(): Promise<string>;
  configGet(name: string): Promise<Readonly<Record<string, string>>>;
  /** From then on, the server pushes changes to keys that were read on this connection. */
  clientTracking(mode: true, options: { NOLOOP: true }): Promise<unknown>;
  /** Calls back with the name of each key that is pushed; null for all of them (FLUSHALL). */
  on(push: "invalidate", onKey: (name: unknown) => void): unknown;
  /** With RESP3, other commands can still be sent on the same connection. */
  subscribe(
    channel: string,
    onMessage: (text: string) => void,
  ): Promise<unknown>;
}

/** One connection, from its handshake to its end, or those to the nodes of a Cluster. */
export interface RedisClient {
  readonly commands: RedisCommands;
  /** Of a Cluster: its primaries. It does not tell of changes. */
  readonly primaries?: readonly RedisNode[];
  /** Resolves with the reason when the connection has ended; it is never reopened. */
  readonly ended: Promise<unknown>;
  /** Closes the connection; commands in flight reject. */
  end(reason: unknown): void;
}

/** A connection to one server, which may be a Sentinel. */
interface ServerClient extends RedisClient {
  /** `standalone`, `cluster` or `sentinel`; undefined if the server does not tell. */
  readonly mode: string | undefined;
  /** Sends a command in words. */
  send(...words: string[]): Promise<unknown>;
}

export interface RedisClientOptions {
  /** Closes the connection, or abandons the attempt to open it. */
  readonly signal: AbortSignal;
  /** Longest attempt to connect, including the handshake (HELLO). @default {2000} */
  readonly connectTimeoutMs?: number;
}

/**
 * What sockets need for TLS; the authorities are read each time, as they may have been replaced.
 * @throws {Error} if they cannot be read
 */
export async function tlsOptions(
  { tls, caFile }: Pick<RedisLocation, "tls" | "caFile">,
): Promise<{ tls: true; ca?: string[] } | Record<never, never>> {
  if (!tls) return {};
  if (caFile === undefined) return { tls };
  try {
    return { tls, ca: [await Deno.readTextFile(caFile)] };
  } catch (cause) {
    throw new Error(`REDIS_CA_FILE: ${whyUnreadable(caFile, cause)}`);
  }
}

/**
 * Connects to the first node and completes the handshake (RESP3, Redis 6 or later); a replica is refused, as it takes no
 * writes. The library's own reconnecting is not used: its pauses cannot be aborted, and it keeps a connection whose peer
 * does not speak Redis.
 * @throws the reason why there is no connection
 */
export async function openRedisClient(
  location: Omit<RedisLocation, "topology" | "primary">,
  { signal, connectTimeoutMs = 2_000 }: RedisClientOptions,
): Promise<ServerClient> {
  const { nodes: [{ hostname, port }], username, password } = location;
  const tls = await tlsOptions(location);
  signal.throwIfAborted();
  const closing = new AbortController();
  const socket = {
    host: hostname,
    port,
    reconnectStrategy: false,
    signal: closing.signal,
  } as const;
  const client = createClient({
    RESP: 3,
    name: "porthole",
    database: location.database,
    ...username !== undefined && { username },
    ...password !== undefined && { password },
    socket: { ...socket, ...tls },
    disableOfflineQueue: true,
    // Lets a user connect whose ACL allows only the commands of the store.
    disableClientInfo: true,
    maintNotifications: "disabled",
    emitInvalidate: true,
    commandOptions: { timeout: 0 }, // the circuit breaker sets the deadline
  });
  // Otherwise, it would send CLIENT TRACKING as a part of the handshake, which fails where that is not allowed.
  client.options.emitInvalidate = false;

  const ended = Promise.withResolvers<unknown>();
  function end(reason: unknown): void {
    ended.resolve(withoutArguments(reason));
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    closing.abort(); // also closes a socket that is still connecting, which the client's own method does not
    queueMicrotask(() => client.destroy()); // after the library has rejected commands in flight with the reason
  }
  const onAbort = () => end(signal.reason);
  const late = new Error(`No handshake within ${connectTimeoutMs} ms`);
  const timer = setTimeout(() => end(late), connectTimeoutMs);
  signal.addEventListener("abort", onAbort);
  // Any error: after a reply that cannot be parsed, the next one could be matched to the wrong command.
  client.on("error", end);

  const greeted = client.connect().then(async () => {
    // It was sent in the handshake already, but the library does not tell what was answered.
    const { mode, role }: { mode?: string; role?: string } = await client
      .hello();
    if (role === "replica" && mode !== "cluster") {
      throw new Error("This is a replica, no primary");
    }
    clearTimeout(timer);
    return mode;
  });
  greeted.catch(end);
  const mode = await Promise.race([
    greeted,
    ended.promise.then((reason) => Promise.reject(reason)),
  ]);
  return {
    commands: client,
    mode,
    ended: ended.promise,
    end,
    send: (...words) => client.sendCommand(words),
  };
}

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

/** How an error reply of the server begins. */
export type ErrorCode =
  | "LOADING"
  | "NOAUTH"
  | "NOPERM"
  | "READONLY"
  | "WRONGTYPE";

export function hasErrorCode(failure: unknown, ...codes: ErrorCode[]): boolean {
  return failure instanceof Error &&
    codes.some((code) => failure.message.startsWith(`${code} `));
}

/** Removes the arguments that Redis quotes in its error for an unknown command: they may hold a password or a value. */
function withoutArguments(failure: unknown): unknown {
  if (!(failure instanceof Error)) return failure;
  const end = failure.message.indexOf(", with args beginning with:");
  return end < 0 ? failure : new Error(failure.message.slice(0, end));
}
