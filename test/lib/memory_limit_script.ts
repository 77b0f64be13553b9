/** Prints what is known of the memory that this process may take. */
// deno-lint-ignore-file no-console
import { memoryLimit } from "../../src/platform/memory_limit.ts";

console.log(memoryLimit() ?? "unknown");
