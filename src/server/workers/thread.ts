/** Worker threads of this process. */
import { fileURLToPath } from "node:url";
import { permissionHint } from "../../lib/permission_hint.ts";
import type { WorkerStart } from "./messages.ts";

/** A thread that is starting or running. */
export interface Thread {
  /** This end of the channel to it. */
  readonly port: MessagePort;
  /** Rejects when an uncaught error has ended the thread; pending otherwise. */
  readonly failed: Promise<never>;
  /** Ends it at once. */
  terminate(): void;
}

/** Starts a thread; `entry` is the URL of the module that it runs. */
export function startThread(entry: string, start: WorkerStart): Thread {
  const worker = new Worker(entry, {
    type: "module",
    name: `worker ${start.number}`,
  });
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ start, port: port2 }, [port2]);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // not an unhandled rejection if nobody awaits it
  worker.addEventListener("error", (event) => {
    event.preventDefault(); // otherwise it ends this thread too
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
 * Why Deno would not let a thread load the module at `entry`, in one line; undefined if it would. The main thread loads
 * its modules without read permission, but worker threads need it.
 */
export async function whyNoThread(entry: string): Promise<string | undefined> {
  const path = fileURLToPath(new URL(".", entry)).replace(/[/\\]$/, "");
  const { state } = await Deno.permissions.query({ name: "read", path });
  return state === "granted"
    ? undefined
    : `WORKERS: Deno is not allowed to read ${path}, which worker threads load: ${
      permissionHint(path, "read")
    }.`;
}
