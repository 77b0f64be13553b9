/** Threads of this process that serve. */
import { fileURLToPath } from "node:url";
import type { WorkerStart } from "./messages.ts";

/** A thread that is starting or running. */
export interface Thread {
  /** This end of the channel to it. */
  readonly port: MessagePort;
  /** Rejects when nobody caught an error there, which ends it; pending otherwise. */
  readonly failed: Promise<never>;
  /** Ends it at once. */
  terminate(): void;
}

/** Starts a thread whose entry point is the module of that URL. */
export function startThread(entry: string, start: WorkerStart): Thread {
  const worker = new Worker(entry, {
    type: "module",
    name: `worker ${start.number}`,
  });
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ start, port: port2 }, [port2]);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // whoever wants to know has asked
  worker.addEventListener("error", (event) => {
    event.preventDefault(); // or it ends this thread too
    failed.reject(new Error(event.message));
  });
  return {
    port,
    failed: failed.promise,
    terminate() {
      port.close();
      worker.terminate();
    },
  };
}

/**
 * Why Deno would not let a thread load that module, in one line; undefined where it would. The modules of the first
 * thread need no permission, those of others do.
 */
export async function whyNoThread(entry: string): Promise<string | undefined> {
  const path = fileURLToPath(new URL(".", entry)).replace(/[/\\]$/, "");
  const { state } = await Deno.permissions.query({ name: "read", path });
  return state === "granted"
    ? undefined
    : `WORKERS: Deno may not read ${path}, which other threads load: start it with --allow-read=./data,${path}.`;
}
