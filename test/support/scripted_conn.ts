/**
 * A connection without a network, to control what a real one leaves to chance: how reads are split, when writes fail.
 */
import { fromLatin1, toLatin1 } from "./latin1.ts";

/** The result of a read, as Latin-1 text, and the number of writes that it waits for; 1 by default. */
export type ScriptedRead = string | {
  readonly text: string;
  readonly afterWrites: number;
};

/** The behaviour of a scripted connection. */
export interface Script {
  readonly reads: readonly ScriptedRead[];
  /** After the last read: the end of the stream (the default), or silence until the connection is closed. */
  readonly then?: "end" | "silence";
  /** The number of the write that fails, from 0. */
  readonly failingWrite?: number;
  /** The number of the write that ends only when the connection is closed, from 0. */
  readonly stuckWrite?: number;
  /** The maximum number of bytes that a write accepts. */
  readonly writeSize?: number;
}

/** A connection that follows a script and records its use. */
export interface ScriptedConn extends Deno.Conn {
  /** Everything written, as Latin-1 text. */
  readonly written: string;
  /** The number of writes, including failed ones. */
  readonly writes: number;
  readonly reads: number;
  readonly closed: boolean;
}

/** Creates a scripted connection. */
export function scriptedConn(script: Script): ScriptedConn {
  const queue = script.reads.map((read) => {
    const { text, afterWrites } = typeof read === "string"
      ? { text: read, afterWrites: 1 }
      : read;
    return { bytes: fromLatin1(text), afterWrites };
  });
  let wake = Promise.withResolvers<void>();

  /** Waits for a condition, which writes may change; throws once the connection is closed. */
  async function until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (conn.closed) throw new Deno.errors.Interrupted();
      if (condition()) return;
      await wake.promise;
    }
  }
  function notify(): void {
    wake.resolve();
    wake = Promise.withResolvers();
  }

  const conn = {
    written: "",
    writes: 0,
    reads: 0,
    closed: false,
    async read(target: Uint8Array): Promise<number | null> {
      conn.reads++;
      const [next] = queue;
      if (next === undefined) {
        await until(() => script.then !== "silence" && conn.writes > 0);
        return null;
      }
      await until(() => conn.writes >= next.afterWrites);
      const part = next.bytes.subarray(0, target.length);
      target.set(part);
      next.bytes = next.bytes.subarray(part.length);
      if (next.bytes.length === 0) queue.shift();
      // An empty read only waits for its writes.
      return part.length === 0 ? await conn.read(target) : part.length;
    },
    async write(data: Uint8Array): Promise<number> {
      await Promise.resolve();
      const index = conn.writes++;
      notify();
      if (conn.closed || index === script.failingWrite) {
        throw new Deno.errors.BrokenPipe();
      }
      if (index === script.stuckWrite) await until(() => false);
      const part = data.subarray(0, script.writeSize);
      conn.written += toLatin1(part);
      return part.length;
    },
    close(): void {
      conn.closed = true;
      notify();
    },
    ref(): void {},
    unref(): void {},
  };
  return conn as unknown as ScriptedConn;
}
