import { assertEventually } from "../../support/assert_eventually.ts";
import { stillNeeded } from "./canary.ts";

Deno.test("canary: Deno KV still finds an entry after it has expired", async () => {
  const kv = await Deno.openKv(":memory:");
  await kv.set(["key"], "value", { expireIn: 1 });
  const expiredAt = Date.now() + 1;
  await assertEventually(() => Date.now() > expiredAt, "it has expired");
  const { value } = await kv.get(["key"]);
  kv.close();
  stillNeeded(value === "value", {
    mended: "the expiry of Deno KV's entries",
    remove: "the check of staleUntil in src/cache/kv.ts",
  });
});
