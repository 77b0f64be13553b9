import { array, at, type Json, object, resolve, string } from "./json.ts";

/** A schema with the document that its references refer to. */
export interface Schema {
  readonly schema: Json;
  readonly document: Json;
}

/** A way in which a value that conforms to one schema breaks a reader that expects another. */
export interface Misfit {
  /** Where in the value, such as `.oidc.issuer`; empty for the whole value. */
  readonly place: string;
  readonly kind: "field gone" | "type changed";
  readonly detail: string;
}

/** A schema with references, `allOf` and the various notations of "or null" resolved. */
interface Shape {
  /** Without null; empty if any type is allowed. */
  readonly types: ReadonlySet<string>;
  readonly nullable: boolean;
  readonly values: readonly Json[] | undefined;
  readonly properties: ReadonlyMap<string, Json>;
  readonly required: ReadonlySet<string>;
  readonly items: Json | undefined;
}

/** Every way in which a `given` value can break a reader that expects `wanted`; surplus fields do not count. */
export function misfits(given: Schema, wanted: Schema, place = ""): Misfit[] {
  const from = shapeOf(given.schema, given.document);
  const to = shapeOf(wanted.schema, wanted.document);
  const type = typeChange(from, to);
  if (type !== undefined) {
    return [{ place, kind: "type changed", detail: type }];
  }

  const found: Misfit[] = [];
  function changed(place: string, detail: string): void {
    found.push({ place, kind: "type changed", detail });
  }
  if (from.nullable && !to.nullable) changed(place, "may be null");
  const surprises = surprisingValues(from, to);
  if (surprises !== undefined) changed(place, `may be ${surprises}`);
  if (from.items !== undefined && to.items !== undefined) {
    found.push(...misfits(
      { ...given, schema: from.items },
      { ...wanted, schema: to.items },
      `${place}[]`,
    ));
  }
  for (const [name, schema] of to.properties) {
    const field = `${place}.${name}`;
    const source = from.properties.get(name);
    if (source === undefined) {
      found.push({
        place: field,
        kind: "field gone",
        detail: "no longer present",
      });
      continue;
    }
    if (to.required.has(name) && !from.required.has(name)) {
      changed(field, "may be missing");
    }
    found.push(
      ...misfits({ ...given, schema: source }, { ...wanted, schema }, field),
    );
  }
  return found;
}

function typeChange(from: Shape, to: Shape): string | undefined {
  const isKnown = (type: string) =>
    to.types.has(type) || (type === "integer" && to.types.has("number"));
  if (to.types.size === 0) return undefined;
  if (from.types.size > 0 && [...from.types].every(isKnown)) return undefined;
  return `${typesOf(from)} instead of ${typesOf(to)}`;
}

function typesOf({ types }: Shape): string {
  return [...types].join(" or ") || "anything";
}

function surprisingValues(from: Shape, to: Shape): string | undefined {
  if (to.values === undefined) return undefined;
  if (from.values === undefined) return "any value";
  const known = new Set(to.values.map((value) => JSON.stringify(value)));
  const unknown = from.values.map((value) => JSON.stringify(value))
    .filter((value) => !known.has(value));
  return unknown.length > 0 ? unknown.join(", ") : undefined;
}

function shapeOf(schema: Json, document: Json, depth = 0): Shape {
  const node = resolve(schema, document);
  const own = ownShape(node);
  if (depth > 8) return own;
  const parts = array(node["allOf"]).map((part) =>
    shapeOf(part, document, depth + 1)
  );
  const choice = choiceOf([...array(node["oneOf"]), ...array(node["anyOf"])], {
    document,
    depth,
  });
  if (choice !== undefined) parts.push(choice);
  return parts.reduce(both, own);
}

function ownShape(node: { readonly [name: string]: Json }): Shape {
  const types = new Set(
    [node["type"] ?? []].flat().flatMap((type) => string(type) ?? []),
  );
  const nullable = types.delete("null") || node["nullable"] === true;
  const values = node["enum"] === undefined
    ? undefined
    : array(node["enum"]).filter((value) => value !== null);
  if (types.size === 0 && node["properties"] !== undefined) types.add("object");
  if (types.size === 0) values?.forEach((value) => types.add(typeof value));
  return {
    types,
    nullable,
    values,
    properties: new Map(Object.entries(object(node["properties"]))),
    required: new Set(
      array(node["required"]).flatMap((name) => string(name) ?? []),
    ),
    items: at(node, "items"),
  };
}

/** The one alternative to null; a choice between several is a type of its own, which fits no specific type. */
function choiceOf(
  branches: readonly Json[],
  { document, depth }: { document: Json; depth: number },
): Shape | undefined {
  const isNull = (branch: Json) => at(branch, "type") === "null";
  const rest = branches.filter((branch) => !isNull(branch));
  const [only] = rest;
  if (only === undefined) return undefined;
  const shape = rest.length === 1
    ? shapeOf(only, document, depth + 1)
    : ownShape({ type: "one of several" });
  return {
    ...shape,
    nullable: shape.nullable || rest.length < branches.length,
  };
}

/** The combination of two parts of an `allOf`. */
function both(one: Shape, other: Shape): Shape {
  return {
    types: one.types.size > 0 ? one.types : other.types,
    nullable: one.nullable || other.nullable,
    values: one.values ?? other.values,
    properties: new Map([...one.properties, ...other.properties]),
    required: one.required.union(other.required),
    items: one.items ?? other.items,
  };
}
