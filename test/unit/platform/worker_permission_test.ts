import assert from "node:assert/strict";
import { whyNoThread } from "../../../src/platform/worker_permission.ts";
import { stillNeeded } from "./canary.ts";

const LOADED = ["/opt/porthole/src", "/opt/porthole/gen"];

for (
  const [missing, read] of [["src", []], ["gen", LOADED.slice(0, 1)]] as const
) {
  Deno.test({
    name:
      `whyNoThread() says what Deno must be allowed to read, such as ${missing}/`,
    permissions: { read: [...read] },
    async fn() {
      assert.equal(
        await whyNoThread("file:///opt/porthole/src/worker.ts"),
        `WORKERS: Deno is not allowed to read /opt/porthole/${missing}, which worker threads load: ` +
          "start it with --allow-read=./data,/opt/porthole/src,/opt/porthole/gen.",
      );
    },
  });
}

Deno.test({
  name: "whyNoThread() has nothing to say if Deno may read both",
  permissions: { read: LOADED },
  async fn() {
    const entry = "file:///opt/porthole/src/worker.ts";
    assert.equal(await whyNoThread(entry), undefined);
  },
});

Deno.test({
  name: "canary: a worker thread needs read permission for its module",
  permissions: { read: false },
  async fn() {
    const worker = new Worker(new URL("loading_worker.ts", import.meta.url), {
      type: "module",
    });
    const reason = await new Promise<string>((resolve) => {
      worker.onmessage = () => resolve("loaded");
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
    });
    worker.terminate();
    stillNeeded(/read access/.test(reason), {
      mended: "the permissions of worker threads",
      remove: "src/platform/worker_permission.ts",
    });
  },
});
