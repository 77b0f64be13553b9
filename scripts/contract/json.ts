/** A JSON value of unknown shape, such as a parsed description. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** The value at a path of member names; undefined if there is none. */
export function at(
  value: Json | undefined,
  ...path: string[]
): Json | undefined {
  return path.reduce<Json | undefined>(
    (value, name) => object(value)[name],
    value,
  );
}

/** The value if it is an object, otherwise an empty object. */
export function object(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !isArray(value)
    ? value
    : {};
}

/** The value if it is an array, otherwise an empty array. */
export function array(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

/** The value if it is a string, otherwise undefined. */
export function string(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Follows local references (`#/components/...`); a dangling or circular reference gives an empty object. */
export function resolve(value: Json | undefined, document: Json): JsonObject {
  let current = object(value);
  for (let hops = 0; hops < 32; hops++) {
    const reference = string(current["$ref"]);
    if (reference === undefined) return current;
    const path = reference.split("/").slice(1).map((part) =>
      part.replaceAll("~1", "/").replaceAll("~0", "~")
    );
    current = object(at(document, ...path));
  }
  return {};
}

// Array.isArray does not narrow to readonly arrays.
function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
