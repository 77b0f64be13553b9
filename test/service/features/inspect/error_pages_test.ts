/** What error pages say of the owner's view, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { BASE, startGateway } from "../../../support/gateway.ts";

/** A browser that shows the response in a window. */
const PAGE = { "sec-fetch-mode": "navigate", accept: "text/html" };

Deno.test("a page about an app leads its developer to the requests to the sandbox, unless there are none to see", async () => {
  for (const INSPECT of ["true", "false"]) {
    await using gateway = await startGateway({ INSPECT });
    gateway.stack.runner.containers.get("locked")?.ports.set(3000, 1);
    for (
      const [label, isNamed] of [["demo", true], [
        KEYS.signedToken,
        false,
      ]] as const
    ) {
      gateway.stack.runner.containers.get("demo")?.ports.set(3000, 1);
      const page = await gateway.send(`3000-${label}.${BASE}`, {
        headers: PAGE,
      });
      assert.equal(page.code, "port_closed");
      assert.equal(
        page.body.includes(`href="http://${BASE}/inspect/demo"`),
        INSPECT === "true" && isNamed,
      );
    }
  }
});
