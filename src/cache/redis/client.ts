import { createClient } from "redis";
import type { RedisLocation } from "../../config/cache_location.ts";
import { withoutArguments } from "./failure.ts";

/** How long an attempt to connect may take, including the handshake (HELLO), ms. */
const CONNECT_TIMEOUT_MS = 2_000;

/** The commands that the store needs. */
export interface RedisCommands {
  get(key: string): Promise<string | null>;
  /** Milliseconds until the key expires; -1 if it has no expiry, -2 if there is no such key. */
  pTTL(key: string): Promise<number>;
  set(
    key: string,
    value: string,
    options: { expiration: { type: "PX"; value: number } },
  ): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** One connection, from its handshake to its end. */
export interface RedisClient {
  readonly commands: RedisCommands;
  /** Resolves with the reason when the connection has ended; it is never reopened. */
  readonly ended: Promise<unknown>;
  /** Closes the connection; commands in flight reject. */
  end(reason: unknown): void;
}

/** Settings of one connection. */
export interface RedisClientOptions {
  /** Closes the connection, or abandons the attempt to open it. */
  readonly signal: AbortSignal;
  /** The only certificate authorities to trust, PEM; the system's by default. */
  readonly caCerts?: string[];
  /** @default {2000} */
  readonly connectTimeoutMs?: number;
}

/**
 * Connects to a server and completes the handshake (RESP3, Redis 6 or later). The library's own reconnecting is not
 * used: its pauses cannot be aborted, and it keeps a connection whose peer does not speak Redis.
 *
 * @throws the reason why there is no connection
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
    // Lets a user connect whose ACL allows only the commands of the store.
    disableClientInfo: true,
    maintNotifications: "disabled",
    commandOptions: { timeout: 0 }, // the guard sets the deadline
  });

  const ended = Promise.withResolvers<unknown>();
  function end(reason: unknown): void {
    ended.resolve(withoutArguments(reason));
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    closing.abort(); // also closes a socket that is still connecting, which the client's own method does not
    queueMicrotask(() => client.destroy()); // after the library has rejected commands in flight with the reason
  }
  const onAbort = () => end(signal.reason);
  const timer = setTimeout(() => {
    end(new Error(`No handshake within ${connectTimeoutMs} ms`));
  }, connectTimeoutMs);
  signal.addEventListener("abort", onAbort);
  // Any error: after a reply that cannot be parsed, the next one could be matched to the wrong command.
  client.on("error", end);

  const connected = client.connect().then(() => clearTimeout(timer));
  connected.catch(end);
  await Promise.race([
    connected,
    ended.promise.then((reason) => Promise.reject(reason)),
  ]);
  return { commands: client, ended: ended.promise, end };
}
