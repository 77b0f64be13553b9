// deno-lint-ignore-file no-console
/**
 * `deno task contract:check FILE-or-URL`: compares openapi/daytona.yaml with a full description of Daytona's API, in
 * YAML or JSON, such as https://daytona.example.com/api-json. Exits with 0 if nothing that we rely on differs, 1 after
 * listing the differences, 2 if it could not compare.
 */
import { parse } from "yaml";
import { findDrift } from "./contract/drift.ts";
import type { Json } from "./contract/json.ts";
import { operationsOf } from "./contract/operation.ts";

const SLICE = new URL("../openapi/daytona.yaml", import.meta.url);

/**
 * Reads an API description.
 *
 * @throws {Error} if it cannot be fetched or parsed, or describes no operations.
 */
async function readDescription(source: string | URL): Promise<Json> {
  const text = /^https?:/.test(`${source}`)
    ? await download(`${source}`)
    : await Deno.readTextFile(source);
  const document: Json = text.trimStart().startsWith("{")
    ? JSON.parse(text)
    : parse(text);
  if (operationsOf(document).length === 0) {
    throw new Error("it describes no operations");
  }
  return document;
}

async function download(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`status ${response.status}`);
  return text;
}

/** Runs the check, prints the differences, and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [source, ...more] = args;
  if (source === undefined || more.length > 0) {
    console.error("usage: deno task contract:check FILE-or-URL");
    return 2;
  }
  const slice = await readDescription(SLICE);
  let full: Json;
  try {
    full = await readDescription(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`Cannot read ${source}: ${reason}`);
    return 2;
  }
  const drifts = findDrift(slice, full);
  for (const { operation, kind, detail } of drifts) {
    console.log(`${operation}: ${kind}: ${detail}`);
  }
  if (drifts.length > 0) return 1;
  console.log(`All ${operationsOf(slice).length} operations agree.`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
