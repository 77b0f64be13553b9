/**
 * Deno 2.9.6: `Deno.openKv(path)` creates the database's file, but not its folder, and fails with "unable to open
 * database file". (SQLite's way; the default path is created.)
 *
 * Instead, the folder is made first.
 */
import { dirname } from "node:path";

/** Creates the folder of a database's file. If that fails, `Deno.openKv()` says why it cannot open the file. */
export async function makeKvFolder(path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true }).catch(() => {});
}
