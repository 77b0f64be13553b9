/**
 * Deno 2.9.6 loads the modules of the main thread without permission, but a worker thread needs read permission for its
 * own, and fails with an error event without it. (Documented: denoland/docs#3423.)
 *
 * Instead, the permission is looked up before any thread is started, and the operator is told how to give it.
 */
import { fileURLToPath } from "node:url";
import { permissionHint } from "./permission_hint.ts";

/** The folders of all modules, from the one of `entry`: `src/`, and the generated ones. */
const FOLDERS = [".", "../gen/"];

/**
 * Why Deno would not let a worker thread load the module at the URL `entry`, or one that it imports, in one line;
 * undefined if it would.
 */
export async function whyNoThread(entry: string): Promise<string | undefined> {
  const paths = FOLDERS.map((folder) =>
    fileURLToPath(new URL(folder, entry)).replace(/[/\\]$/, "")
  );
  for (const path of paths) {
    const { state } = await Deno.permissions.query({ name: "read", path });
    if (state === "granted") continue;
    return `WORKERS: Deno is not allowed to read ${path}, which worker threads load: ${
      permissionHint(paths.join(), "read")
    }.`;
  }
  return undefined;
}
