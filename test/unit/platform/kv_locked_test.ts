import { DatabaseSync } from "node:sqlite";
import { isLocked } from "../../../src/platform/kv_locked.ts";
import { stillNeeded } from "./canary.ts";

Deno.test("canary: a KV file that another connection has locked fails with a text, without a code", async () => {
  await Deno.mkdir("data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "data/test" });
  const path = `${folder}/kv.db`;
  const kv = await Deno.openKv(path);
  await kv.set(["key"], 1);
  // The lock of another process, by SQLite's own means.
  const other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  const failure: unknown = await kv.set(["key"], 2).catch((error) => error);
  other.close();
  kv.close();
  await Deno.remove(folder, { recursive: true });
  stillNeeded(
    isLocked(failure) && failure instanceof TypeError && !("code" in failure),
    {
      mended: "the errors of KV files that are locked",
      remove: "src/platform/kv_locked.ts, and test what the error has instead",
    },
  );
});
