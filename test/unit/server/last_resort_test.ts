import assert from "node:assert/strict";
import { listen } from "../../../src/downstream/http/listen.ts";
import { withLastResort } from "../../../src/server/last_resort.ts";
import { logUncaughtErrors } from "../../../src/server/uncaught.ts";
import { recordedLog } from "../../support/event_log.ts";

Deno.test("an error that a handler throws or rejects with is answered as internal, and logged with the request ID of the response", async () => {
  for (
    const handler of [
      () => {
        throw new Error("Escaped");
      },
      () => Promise.reject(new Error("Escaped")),
    ]
  ) {
    const recorded = recordedLog();
    using _ = logUncaughtErrors(recorded.log);
    const listener = listen(
      withLastResort(handler),
      { hostname: "127.0.0.1", port: 0 },
    );
    const response = await fetch(`http://127.0.0.1:${listener.port}/`);
    assert.equal(response.status, 500);
    assert.equal(response.headers.get("x-porthole-error"), "internal");
    assert.equal(response.headers.get("cache-control"), "no-store");
    const { code, requestId } = await response.json();
    assert.equal(code, "internal");
    const { reason, stack } = await recorded.next("uncaught exception");
    assert.equal(reason, `Request ${requestId} failed: Escaped`);
    assert.match(String(stack), /Error: Escaped\n.*last_resort_test/);
    await listener.close();
  }
});
