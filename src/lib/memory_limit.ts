/** How much memory the process may take before the system ends it; Deno itself sets no limit. */
import process from "node:process";

/** What its container has, by cgroups, or else the machine, bytes; undefined without `--allow-sys=systemMemoryInfo`. */
export function memoryLimit(): number | undefined {
  const asked = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(asked).state !== "granted") return undefined;
  // Without a limit it is 0, or beyond what any machine has.
  const limit = process.constrainedMemory() || Infinity;
  return Math.min(limit, Deno.systemMemoryInfo().total);
}
