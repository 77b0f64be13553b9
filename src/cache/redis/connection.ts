import {
  backoffMs,
  type Sleep,
  sleep as realSleep,
} from "../../lib/backoff.ts";
import type { RedisClient, RedisCommands } from "./client.ts";
import { hasErrorCode, withoutArguments } from "./failure.ts";

/** Backoff between attempts to connect. */
const BACKOFF = { baseMs: 100, maxMs: 5_000 };

/** A connection without any reply for so long, ms, is dead: TCP may take a quarter of an hour to notice. */
const STALL_MS = 2_000;

/** A connection that is opened in the background, and reopened whenever it ends. */
export interface RedisConnection {
  /** Resolves once there is a connection; rejects with the reason if the current attempt fails. */
  connected(): Promise<void>;
  /** Sends a command and resolves with its reply; rejects at once if there is no connection. */
  send<T>(command: (commands: RedisCommands) => Promise<T>): Promise<T>;
  /** Closes the connection, or stops trying to open one. */
  close(): void;
}

/** Dependencies of a connection. */
export interface RedisConnectionOptions {
  /** The server's name in error messages. */
  readonly server: string;
  /** Makes one attempt to connect. */
  readonly open: (signal: AbortSignal) => Promise<RedisClient>;
  /** A monotonic clock, ms. */
  readonly now: () => number;
  readonly sleep?: Sleep;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/** The current client, and whether the server still answers it. */
interface ActiveClient extends RedisClient {
  /** Number of commands in flight. */
  pending: number;
  /** While commands are in flight: the time of the last reply, or of the first of these commands, ms by that clock. */
  silentSince: number;
}

/** Keeps a connection to a server open until it is closed. */
export function keepConnected(
  { server, open, now, sleep = realSleep, random = Math.random }:
    RedisConnectionOptions,
): RedisConnection {
  const closing = new AbortController();
  let active: ActiveClient | undefined;
  let attempt = deferred();
  let problem = notConnected(undefined);

  async function maintain(): Promise<void> {
    let failed = 0;
    while (!closing.signal.aborted) {
      try {
        const client = await open(closing.signal);
        active = { ...client, pending: 0, silentSince: 0 };
        failed = 0;
        attempt.resolve();
        problem = notConnected(await client.ended);
        active = undefined;
      } catch (reason) {
        problem = notConnected(reason);
        attempt.reject(problem);
      }
      attempt = deferred();
      failed++;
      await sleep(backoffMs(failed, BACKOFF, random), closing.signal)
        .catch(() => {});
    }
    attempt.reject(problem);
  }

  function notConnected(cause: unknown): Error {
    return new Error(`Not connected to Redis at ${server}`, { cause });
  }

  maintain();

  return {
    connected: () => attempt.promise,

    async send(command) {
      const current = active;
      if (current === undefined) throw problem;
      if (current.pending === 0) current.silentSince = now();
      if (now() - current.silentSince > STALL_MS) {
        const reason = new Error(`No reply within ${STALL_MS} ms`);
        current.end(reason);
        throw reason;
      }
      current.pending++;
      try {
        return await command(current.commands);
      } catch (cause) {
        // After a failover, the former primary keeps its connections; its name may resolve to the new one by now.
        if (hasErrorCode(cause, "READONLY")) current.end(cause);
        throw withoutArguments(cause);
      } finally {
        current.pending--;
        current.silentSince = now();
      }
    },

    close: () => closing.abort(),
  };
}

/** A promise that may reject without being awaited. */
function deferred(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => {});
  return resolvers;
}
