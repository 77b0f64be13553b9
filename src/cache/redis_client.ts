import { createClient } from "redis";
import type { RedisLocation } from "../config/cache_location.ts";
import { withoutArguments } from "./redis_failure.ts";

/** How long an attempt to connect may take, greeting included, ms. */
const CONNECT_TIMEOUT_MS = 2_000;

/** The commands that the store needs. */
export interface RedisCommands {
  get(key: string): Promise<string | null>;
  /** Milliseconds until the key expires; -1 where it does not, -2 where there is none. */
  pTTL(key: string): Promise<number>;
  set(
    key: string,
    value: string,
    options: { expiration: { type: "PX"; value: number } },
  ): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** One connection, from its greeting to its end. */
export interface RedisClient {
  readonly commands: RedisCommands;
  /** Resolves with the reason when the connection is over: nothing brings it back. */
  readonly ended: Promise<unknown>;
  /** Ends it; commands under way reject. */
  end(reason: unknown): void;
}

/** How a connection is made. */
export interface RedisClientOptions {
  /** Ends the connection, or gives it up before it is there. */
  readonly signal: AbortSignal;
  /** PEM certificates that alone are trusted; those of the system unless given. */
  readonly caCerts?: string[];
  /** @default {2000} */
  readonly connectTimeoutMs?: number;
}

/**
 * Connects to a server and greets it (RESP3, Redis 6 or later). The library's own reconnecting is not used: its pauses
 * cannot be ended, and it keeps a connection whose peer does not speak Redis.
 *
 * @throws why there is no connection
 */
export async function openRedisClient(
  { tls, hostname, port, username, password, database }: RedisLocation,
  { signal, caCerts, connectTimeoutMs = CONNECT_TIMEOUT_MS }:
    RedisClientOptions,
): Promise<RedisClient> {
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
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    socket: tls
      ? { ...socket, tls, ...(caCerts === undefined ? {} : { ca: caCerts }) }
      : socket,
    disableOfflineQueue: true,
    // So that a user who may do no more than the store does can connect.
    disableClientInfo: true,
    maintNotifications: "disabled",
    commandOptions: { timeout: 0 }, // the guard has the deadline
  });

  const ended = Promise.withResolvers<unknown>();
  function end(reason: unknown): void {
    ended.resolve(withoutArguments(reason));
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    closing.abort(); // reaches a socket that is not connected yet, which the client's own method does not
    queueMicrotask(() => client.destroy()); // once the library has told commands under way the reason
  }
  const onAbort = () => end(signal.reason);
  const timer = setTimeout(() => {
    end(new Error(`No greeting in ${connectTimeoutMs} ms`));
  }, connectTimeoutMs);
  signal.addEventListener("abort", onAbort);
  // Whatever it is: after an answer that cannot be read, the next one could be taken for another command's.
  client.on("error", end);

  const connected = client.connect().then(() => clearTimeout(timer));
  connected.catch(end);
  await Promise.race([
    connected,
    ended.promise.then((reason) => Promise.reject(reason)),
  ]);
  return { commands: client, ended: ended.promise, end };
}
