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
    await makeKvFolder(path);
    const kv = await Deno.openKv(path);
    kv.close();
    await makeKvFolder(path); // it is there already
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
