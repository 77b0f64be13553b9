/** What the process may do, and what it is made of. */
import assert from "node:assert/strict";
import meta from "../deno.json" with { type: "json" };

Deno.test("with the permissions of start nothing is read, written, run or asked that the gateway does not need", async () => {
  const { stdout, stderr } = await new Deno.Command("deno", {
    args: [
      "run",
      "--no-prompt",
      "-P=start",
      "test/support/try_everything.ts",
    ],
  }).output();
  const decoder = new TextDecoder();
  const { tried, allowed } = JSON.parse(
    decoder.decode(stdout) || decoder.decode(stderr),
  );
  assert.equal(tried, 10);
  assert.deepEqual(allowed, []);
});

Deno.test("no package may run a script when it is installed", () => {
  assert.equal("allowScripts" in meta, false);
  assert.equal("nodeModulesDir" in meta, false);
});

Deno.test("every package is pinned to one version, and the lock file holds", () => {
  for (const specifier of Object.values(meta.imports)) {
    assert.match(specifier, /^npm:(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/);
  }
  assert.equal(meta.lock.frozen, true);
});
