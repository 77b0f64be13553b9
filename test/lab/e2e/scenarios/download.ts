/** Files that an app offers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { poll } from "../browser/poll.ts";
import type { Scenario } from "../scenario.ts";
import { serveOnLoopback } from "./isolation_apps.ts";
import { logIn } from "./isolation_login.ts";

const NAME = "report.csv";

/** Longer than one part of a response, bytes. */
const SIZE = 3_000_000;

/** A click on a link in a private preview, whose cookie the download has to carry. */
export const download: Scenario = {
  name:
    "a file that an app of a private sandbox offers is saved, whole and under its name",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const downloads = await Deno.makeTempDir({ prefix: "porthole-e2e-" });
    stack.defer(() => Deno.remove(downloads, { recursive: true }));
    const app = stack.use(
      serveOnLoopback(({ url }) =>
        new URL(url).pathname === "/file"
          ? new Response(new Uint8Array(SIZE).fill(65), {
            headers: {
              "content-type": "text/csv",
              "content-disposition": `attachment; filename="${NAME}"`,
            },
          })
          : new Response(
            '<!doctype html><link rel="icon" href="data:,"><a href="/file">Get it</a>',
            { headers: { "content-type": "text/html" } },
          )
      ),
    );
    const page = await stage.open({ downloads });
    await logIn(page, stage.url(`${app.port}-locked`));
    await page.click("a", "Get it");
    await poll(async () => await sizeOf(join(downloads, NAME)) === SIZE);
    assert.equal(await sizeOf(join(downloads, NAME)), SIZE);
    assert.equal(await page.text("a"), "Get it", "the page is still there");
  },
};

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch {
    return undefined;
  }
}
