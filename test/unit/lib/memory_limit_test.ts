import assert from "node:assert/strict";

const SCRIPT = "test/unit/lib/memory_limit_script.ts";
const MIB = 1024 * 1024;

/** What the script prints with these options. */
async function runScript(options: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command("deno", {
    args: ["run", "--no-prompt", "--quiet", ...options, SCRIPT],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("memoryLimit() knows what the container or the machine has, with the permissions of start", async () => {
  const limit = Number(await runScript(["-P=start"]));
  assert(limit > 64 * MIB && limit < 2 ** 50, String(limit));
});

Deno.test("memoryLimit() is unknown without permission, and nobody is asked for it", async () => {
  assert.equal(await runScript([]), "unknown");
});
