import assert from "node:assert/strict";
import { makeKvFolder } from "../../../src/platform/kv_folder.ts";
import { stillNeeded } from "./canary.ts";

/** Runs `use` with the path of a database in a folder that does not exist. */
async function withMissingFolder(
  use: (path: string) => Promise<void>,
): Promise<void> {
  await Deno.mkdir("data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "data/test" });
  try {
    await use(`${folder}/missing/cache.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("makeKvFolder() lets a database be created", async () => {
  await withMissingFolder(async (path) => {
    for (const before of [null, "kept"]) { // the second time, it is there already
      await makeKvFolder(path);
      using kv = await Deno.openKv(path);
      assert.equal((await kv.get(["key"])).value, before);
      await kv.set(["key"], "kept");
    }
  });
});

Deno.test("canary: Deno.openKv() creates no folder", async () => {
  await withMissingFolder(async (path) => {
    const isRefused = await Deno.openKv(path)
      .then((kv) => kv.close(), () => true);
    stillNeeded(isRefused === true, {
      mended: "the folders of Deno.openKv()",
      remove: "src/platform/kv_folder.ts",
    });
  });
});
