import assert from "node:assert/strict";
import { permissionHint } from "../../../src/platform/permission_hint.ts";
import { stillNeeded } from "./canary.ts";

Deno.test("permissionHint() names the options in full", () => {
  assert.equal(
    permissionHint("/var/lib/porthole", "read", "write"),
    "start it with deno run -P=start --allow-read=./data,/var/lib/porthole --allow-write=./data,/var/lib/porthole src/main.ts (deno task start passes no options on)",
  );
  assert.equal(
    permissionHint("/etc/tls", "read"),
    "start it with deno run -P=start --allow-read=./data,/etc/tls src/main.ts (deno task start passes no options on)",
  );
});

Deno.test({
  name: "canary: Deno.openKv() names one of the permissions that it lacks",
  permissions: { read: false, write: false },
  async fn() {
    const error = await Deno.openKv("/var/lib/porthole/cache.db")
      .then(() => assert.fail(), (error) => error);
    assert(error instanceof Deno.errors.NotCapable);
    const named = ["--allow-read", "--allow-write"]
      .filter((option) => error.message.includes(option));
    stillNeeded(named.length === 1, {
      mended: "the message about missing permissions",
      remove: "src/platform/permission_hint.ts",
    });
  },
});
