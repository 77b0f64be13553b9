/** A parsed description: any JSON value, since nothing is known yet about its form. */
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

/** The value at the end of that path of member names, or undefined where the path leads nowhere. */
export function at(
  value: Json | undefined,
  ...path: string[]
): Json | undefined {
  return path.reduce<Json | undefined>(
    (value, name) => object(value)[name],
    value,
  );
}

/** The value where it is an object, and an empty object otherwise. */
export function object(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !isArray(value)
    ? value
    : {};
}

/** The value where it is an array, and an empty array otherwise. */
export function array(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

/** The value where it is a string. */
export function string(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Follows local references (`#/components/...`); a reference that leads nowhere or in circles is an empty object. */
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
