/** One connection to a server of Redis, from its handshake to its end, and what is asked of it. */
import { createClient } from "@redis/client";
import type { RedisLocation, RedisNode } from "../../config/cache_location.ts";
import { whyUnreadable } from "../../platform/permission_hint.ts";
import { withoutArguments } from "./error_reply.ts";

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
