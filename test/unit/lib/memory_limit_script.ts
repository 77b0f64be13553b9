/** Prints what is known of the memory that this process may take. */
// deno-lint-ignore-file no-console
import { memoryLimit } from "../../../src/lib/memory_limit.ts";

console.log(memoryLimit() ?? "unknown");
