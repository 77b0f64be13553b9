/**
 * Deno 2.9.6 ends a process at no limit of its own: the system does, at the limit of its container (of either version of
 * cgroups, wherever in the tree), which Node's API tells, or once the machine has none left.
 */
import process from "node:process";

/** The memory that this process may take, bytes; undefined if it must not ask (`--allow-sys=systemMemoryInfo`). */
export function memoryLimit(): number | undefined {
  const asked = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(asked).state !== "granted") return undefined;
  // Without a limit it is 0, or beyond what any machine has.
  const limit = process.constrainedMemory() || Infinity;
  return Math.min(limit, Deno.systemMemoryInfo().total);
}
