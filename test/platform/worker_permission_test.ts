import assert from "node:assert/strict";
import { whyNoThread } from "../../src/platform/worker_permission.ts";

Deno.test({
  name: "whyNoThread() says what Deno must be allowed to read",
  permissions: { read: [new URL("./", import.meta.url)] },
  async fn() {
    assert.equal(await whyNoThread(import.meta.url), undefined);
    assert.equal(
      await whyNoThread("file:///opt/porthole/src/worker.ts"),
      "WORKERS: Deno is not allowed to read /opt/porthole/src, which worker threads load: " +
        "start it with --allow-read=./data,/opt/porthole/src.",
    );
  },
});
