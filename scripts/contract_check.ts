// deno-lint-ignore-file no-console
/**
 * `deno task contract:check FILE-or-URL`: compares openapi/daytona.yaml with a full description of Daytona's API, in
 * YAML or JSON, such as https://daytona.example.com/api-json. Exits with 0 if nothing that we rely on differs, 1 after
 * listing the differences, 2 if it could not compare. docs/operations.md lists what it cannot see.
 */
import { parse } from "yaml";
import { compileTypes, type Place } from "./contract/types.ts";

const SLICE = new URL("../openapi/daytona.yaml", import.meta.url);

/** An API description, of which this lists what types do not express. */
export interface Description {
  readonly paths: Record<string, Record<string, object>>;
  readonly security?: Operation["security"];
  readonly components?: {
    readonly securitySchemes?: Record<string, { readonly scheme?: string }>;
  };
}

interface Operation extends Place {
  readonly operationId?: string;
  /** Alternatives, each with the names of the schemes that it combines. */
  readonly security?: readonly Record<string, unknown>[];
}

/**
 * Every difference of the full description that breaks a caller who relies on the slice, one line each. Additions do
 * not count, unless a caller has to send them.
 *
 * @throws {Error} if one of them is not an OpenAPI 3 description
 */
export async function findDrift(
  slice: Description,
  full: Description,
): Promise<string[]> {
  const types = await compileTypes(slice, full);
  const [ours, theirs] = [operationsOf(slice), operationsOf(full)];
  // A running API describes itself with its global prefix.
  const base = theirs.every(({ path }) => path.startsWith("/api/"))
    ? "/api"
    : "";
  return ours.flatMap((mine) => {
    const byId = theirs.find((each) => each.operationId === mine.operationId);
    const inPlace = theirs.find(({ method, path }) =>
      method === mine.method && path === base + mine.path
    );
    const other = byId ?? inPlace;
    if (other === undefined) return [`${mine.operationId}: gone`];
    const was = credentialOf(mine, slice);
    const is = credentialOf(other, full);
    return [
      ...other === byId ? [] : [`renamed to ${other.operationId}`],
      ...other === inPlace
        ? []
        : [`moved to ${other.method.toUpperCase()} ${other.path}`],
      ...was === is ? [] : [`credential: ${is} instead of ${was}`],
      ...types.differences(mine, other),
    ].map((line) => `${mine.operationId}: ${line}`);
  });
}

function operationsOf({ paths }: Description): Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([method]) => method !== "parameters")
      .map(([method, operation]) => ({ ...operation, method, path }))
  );
}

/** The credential that opens an operation; `none` if it is open to everybody. */
function credentialOf(
  operation: Operation,
  document: Description,
): "none" | "bearer" | "another" {
  const schemes = document.components?.securitySchemes ?? {};
  const alternatives = (operation.security ?? document.security ?? [])
    .map((alternative) => Object.keys(alternative));
  const isOptional = alternatives.some((names) => names.length === 0);
  if (alternatives.length === 0 || isOptional) return "none";
  const isBearer = ([name = "", ...more]: string[]) =>
    schemes[name]?.scheme?.toLowerCase() === "bearer" && more.length === 0;
  return alternatives.some(isBearer) ? "bearer" : "another";
}

async function readDescription(source: string | URL): Promise<Description> {
  if (!/^https?:/.test(`${source}`)) {
    return parse(await Deno.readTextFile(source));
  }
  const signal = AbortSignal.timeout(30_000);
  const response = await fetch(source, { signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  // JSON is YAML as well.
  return parse(await response.text());
}

/** Prints the differences, and returns the exit code. */
async function main([source, ...more]: readonly string[]): Promise<number> {
  if (source === undefined || more.length > 0) {
    console.error("usage: deno task contract:check FILE-or-URL");
    return 2;
  }
  const slice = await readDescription(SLICE);
  let drift: string[];
  try {
    drift = await findDrift(slice, await readDescription(source));
  } catch (error) {
    console.error(`Cannot compare with ${source}: ${error}`);
    return 2;
  }
  for (const line of drift) console.log(line);
  if (drift.length > 0) return 1;
  console.log(`All ${operationsOf(slice).length} operations agree.`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
