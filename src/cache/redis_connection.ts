import { backoffMs, type Sleep, sleep as realSleep } from "../lib/backoff.ts";
import type { RedisClient, RedisCommands } from "./redis_client.ts";
import { hasErrorCode, withoutArguments } from "./redis_failure.ts";

/** Pauses between two attempts to connect, ms. */
const PAUSE = { baseMs: 100, maxMs: 5_000 };

/** A command unanswered for so long, ms, means that the connection is dead: TCP itself may notice a quarter of an hour later. */
const STALL_MS = 2_000;

/** A connection that is made in the background, and made anew whenever it ends. */
export interface RedisConnection {
  /** Resolves where there is a connection; rejects with what the attempt under way fails of. */
  connected(): Promise<void>;
  /** Runs a command; rejects at once where there is no connection. */
  send<T>(command: (commands: RedisCommands) => Promise<T>): Promise<T>;
  /** Ends the connection and the attempts. */
  close(): void;
}

/** Parts of a connection. */
export interface RedisConnectionOptions {
  /** The server's name for an operator. */
  readonly server: string;
  /** One attempt. */
  readonly open: (signal: AbortSignal) => Promise<RedisClient>;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
  readonly sleep?: Sleep;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/** A client in use. */
interface Line extends RedisClient {
  /** Commands under way. */
  unanswered: number;
  /** Since when nothing was answered although something was asked, ms by that clock. */
  silentSince: number;
}

/** Keeps a connection to a server up until it is closed. */
export function keepConnected(
  { server, open, now, sleep = realSleep, random = Math.random }:
    RedisConnectionOptions,
): RedisConnection {
  const closing = new AbortController();
  let line: Line | undefined;
  let attempt = outcome();
  let problem = notConnected(undefined);

  async function keep(): Promise<void> {
    let failed = 0;
    while (!closing.signal.aborted) {
      try {
        const client = await open(closing.signal);
        line = { ...client, unanswered: 0, silentSince: 0 };
        failed = 0;
        attempt.resolve();
        problem = notConnected(await client.ended);
        line = undefined;
      } catch (reason) {
        problem = notConnected(reason);
        attempt.reject(problem);
      }
      attempt = outcome();
      failed++;
      await sleep(backoffMs(failed, PAUSE, random), closing.signal)
        .catch(() => {});
    }
    attempt.reject(problem);
  }

  function notConnected(cause: unknown): Error {
    return new Error(`Not connected to Redis at ${server}`, { cause });
  }

  keep();

  return {
    connected: () => attempt.promise,

    async send(command) {
      const current = line;
      if (current === undefined) throw problem;
      if (current.unanswered === 0) current.silentSince = now();
      if (now() - current.silentSince > STALL_MS) {
        const reason = new Error(`No answer in ${STALL_MS} ms`);
        current.end(reason);
        throw reason;
      }
      current.unanswered++;
      try {
        return await command(current.commands);
      } catch (cause) {
        // After a failover the former primary keeps its connections: its name may lead to the present one.
        if (hasErrorCode(cause, "READONLY")) current.end(cause);
        throw withoutArguments(cause);
      } finally {
        current.unanswered--;
        current.silentSince = now();
      }
    },

    close: () => closing.abort(),
  };
}

/** A promise that nobody need wait for. */
function outcome(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => {});
  return resolvers;
}
