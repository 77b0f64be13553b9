/** Descriptions of an API by OpenAPI: the slice that we call, and full ones. */
import { parse } from "yaml";

/** An API description, of which this lists what is read outside of the generated types. */
export interface Description {
  readonly paths: Record<string, Record<string, object>>;
  readonly security?: Operation["security"];
  readonly components?: {
    readonly securitySchemes?: Record<string, { readonly scheme?: string }>;
  };
}

/** The method and path of an operation. */
export interface Place {
  readonly method: string;
  readonly path: string;
}

/** An operation of a description. */
export interface Operation extends Place {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  /** Alternatives, each with the names of the schemes that it combines. */
  readonly security?: readonly Record<string, unknown>[];
  /** True in our slice if we can do without it, since older APIs do not have it. */
  readonly "x-optional"?: boolean;
}

/** The slice of Daytona's API that Porthole calls. */
export const SLICE = new URL("../../openapi/daytona.yaml", import.meta.url);

/** All operations of a description, in its order. */
export function operationsOf({ paths }: Description): Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([method]) => method !== "parameters")
      .map(([method, operation]) => ({ ...operation, method, path }))
  );
}

/** The credential that opens an operation; `none` if it is open to everybody. */
export function credentialOf(
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

/**
 * Reads a description from a file or an http(s) URL, in YAML or JSON.
 *
 * @throws {Error} if there is none, or it is neither
 */
export async function readDescription(
  source: string | URL,
): Promise<Description> {
  if (!/^https?:/.test(`${source}`)) {
    return parse(await Deno.readTextFile(source));
  }
  const signal = AbortSignal.timeout(30_000);
  const response = await fetch(source, { signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  // JSON is YAML as well.
  return parse(await response.text());
}
