// deno-lint-ignore-file no-console
/**
 * `deno task contract:check FILE-or-URL`: compares openapi/daytona.yaml with a full description of Daytona's API, in
 * YAML or JSON, such as https://daytona.example.com/api-json. Exits with 0 if nothing that we rely on differs, 1 after
 * listing the differences, 2 if it could not compare. docs/operate.md lists what it cannot see.
 */
import {
  operationsOf,
  readDescription,
  SLICE,
} from "./contract/description.ts";
import { compare, type Comparison } from "./contract/drift.ts";

/** Prints the differences, and returns the exit code. */
async function main([source, ...more]: readonly string[]): Promise<number> {
  if (source === undefined || more.length > 0) {
    console.error("usage: deno task contract:check FILE-or-URL");
    return 2;
  }
  const slice = await readDescription(SLICE);
  let comparison: Comparison;
  try {
    comparison = await compare(slice, await readDescription(source));
  } catch (error) {
    console.error(`Cannot compare with ${source}: ${error}`);
    return 2;
  }
  const { drift, absent } = comparison;
  for (const { text } of drift) console.log(text);
  if (drift.length > 0) return 1;
  const count = operationsOf(slice).length - absent.length;
  console.log(`All ${count} operations agree.`);
  if (absent.length > 0) {
    console.log(`Optional, and not there: ${absent.join(", ")}.`);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
