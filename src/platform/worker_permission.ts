/**
 * Deno 2.9.6 loads the modules of the main thread without permission, but a worker thread needs read permission for its
 * own, and fails with an error event without it. (Documented: denoland/docs#3423.)
 *
 * Instead, the permission is looked up before any thread is started, and the operator is told how to give it.
 */
import { fileURLToPath } from "node:url";
import { permissionHint } from "./permission_hint.ts";

/** Why Deno would not let a worker thread load the module at the URL `entry`, in one line; undefined if it would. */
export async function whyNoThread(entry: string): Promise<string | undefined> {
  const path = fileURLToPath(new URL(".", entry)).replace(/[/\\]$/, "");
  const { state } = await Deno.permissions.query({ name: "read", path });
  return state === "granted"
    ? undefined
    : `WORKERS: Deno is not allowed to read ${path}, which worker threads load: ${
      permissionHint(path, "read")
    }.`;
}
