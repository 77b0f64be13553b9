/** What the process may do, and what it is made of. */
import assert from "node:assert/strict";
import meta from "../../deno.json" with { type: "json" };

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
  assert.equal(tried, 8);
  assert.deepEqual(allowed, []);
});

Deno.test("no package may run a script when it is installed", () => {
  // Denied, rather than not allowed: then Deno does not warn.
  assert.deepEqual(Object.keys(meta.allowScripts), ["deny"]);
  assert.equal("nodeModulesDir" in meta, false);
});

Deno.test("every package is pinned to one version, and the lock file holds", () => {
  for (const specifier of Object.values(meta.imports)) {
    assert.match(specifier, /^npm:(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/);
  }
  assert.equal(meta.lock.frozen, true);
});

/** The packages that a program's modules import, literally, themselves. */
async function packagesOf(program: string): Promise<Set<string>> {
  const { stdout } = await new Deno.Command("deno", {
    args: ["info", "--quiet", "--json", program],
    stderr: "inherit",
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { kind: string; npmPackage?: string }[];
  };
  return new Set(
    modules.flatMap(({ kind, npmPackage = "" }) =>
      kind === "npm" ? [npmPackage.replace(/(?<=.)@.*/, "")] : []
    ),
  );
}

Deno.test("a start fetches only the packages that it needs, and the demo two more", async () => {
  assert.ok(meta.unstable.includes("npm-lazy-caching"));
  const needed = await packagesOf("src/main.ts");
  assert.ok(needed.size > 0);
  for (const large of ["typescript", "vite", "playwright-core"]) {
    assert.equal(needed.has(large), false);
  }
  const doctors = await packagesOf("scripts/doctor.ts");
  assert.deepEqual([...doctors.difference(needed)], []);
  const others = (await packagesOf("scripts/demo/main.ts")).difference(needed);
  assert.deepEqual([...others].sort(), ["oidc-provider", "ws"]);
  assert.deepEqual([...await packagesOf("scripts/demo.ts")], []);
});
