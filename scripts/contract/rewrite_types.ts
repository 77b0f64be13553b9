/** Rewrites the types of parameters and of responses. */
import { type Document, isMap, isScalar, isSeq } from "yaml";
import type { Description, Place } from "./description.ts";
import { followed, type Keys, locate, nodeAt } from "./locate.ts";
import type { Difference } from "./types.ts";

/** An operation of the slice, as it is being rewritten, and the same one of the full description. */
interface Descriptions {
  readonly document: Document;
  readonly full: Description;
  readonly mine: Place;
  readonly other: Place;
}

/** A schema without members and without words. */
interface Type {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Type;
}

/** Rewrites a parameter; false if that is not possible. Nothing is known of bodies: we send none. */
export function rewriteParameter(
  { steps, problem }: Difference,
  { document, full, mine, other }: Descriptions,
): boolean {
  const [kind, location, name, ...members] = steps;
  if (kind !== "parameters" || members.length > 0) return false;
  const slice = document.toJS();
  const list = ["paths", mine.path, mine.method, "parameters"];
  const keys = locate(slice, mine, steps);
  const theirs = locate(full, other, steps);
  if (theirs === undefined) {
    // A template names its own parameters; every other one was sent for a reason.
    const index = Object.keys(nodeAt(slice, list) ?? {}).map(Number)
      .find((index) => `${followed(slice, [...list, index])}` === `${keys}`);
    return location === "path" && index !== undefined &&
      document.deleteIn([...list, index]);
  }
  const type = typeAt(full, [...theirs, "schema"]);
  if (type === undefined) return false;
  if (keys === undefined) {
    const schema = document.createNode(type, { flow: true });
    const parameter = { name, in: location, required: true, schema };
    const sent = document.createNode(parameter);
    if (document.hasIn(list)) document.addIn(list, sent);
    else document.setIn(list, document.createNode([sent]));
  } else if (problem === "missing") {
    document.setIn([...keys, "required"], true);
  } else setType(document, [...keys, "schema"], type);
  return true;
}

/** Rewrites a member of a response, or the whole of it; false if that is not possible. */
export function rewriteResponse(
  { steps, problem }: Difference,
  { document, full, mine, other }: Descriptions,
): boolean {
  const slice = document.toJS();
  const keys = schemaAt(slice, locate(slice, mine, steps));
  const theirs = schemaAt(full, locate(full, other, steps));
  if (keys === undefined || theirs === undefined) return false;
  switch (problem) {
    case "missing":
      return removeRequired(document, keys);
    case "null": {
      const type = document.getIn([...keys, "$ref"]) === undefined
        ? document.getIn(keys)
        : document.createNode({ allOf: [document.getIn(keys)] });
      if (!isMap(type)) return false;
      type.set("nullable", true);
      document.setIn(keys, type);
      return true;
    }
    default: {
      const type = typeAt(full, theirs);
      if (type !== undefined) setType(document, keys, type);
      return type !== undefined;
    }
  }
}

/** A media type has a schema; a member is one. */
function schemaAt(root: object, keys: Keys | undefined): Keys | undefined {
  if (keys === undefined) return undefined;
  return nodeAt(root, [...keys, "schema"]) ? [...keys, "schema"] : keys;
}

/** Lets the member at these keys be missing. */
function removeRequired(document: Document, keys: Keys): boolean {
  const list = [...keys.slice(0, -2), "required"];
  const names = document.getIn(list);
  if (!isSeq(names)) return false;
  names.items = names.items.filter((name) =>
    !isScalar(name) || name.value !== keys.at(-1)
  );
  if (names.items.length === 0) document.deleteIn(list);
  return true;
}

/** Gives a schema another type; its description and comments stay. */
function setType(document: Document, keys: Keys, type: Type): void {
  const old = document.getIn(keys);
  if (!isMap(old)) return document.setIn(keys, document.createNode(type));
  for (const key of TYPE_KEYS) if (!(key in type)) old.delete(key);
  for (const [key, value] of Object.entries(type)) {
    old.set(key, document.createNode(value, { flow: true }));
  }
}

const TYPE_KEYS = [
  "$ref",
  "additionalProperties",
  "allOf",
  "anyOf",
  "enum",
  "format",
  "items",
  "oneOf",
  "properties",
  "required",
  "type",
];

/** The type at these keys, without members: of those, we read none. Undefined for a choice between types. */
function typeAt(full: Description, start: Keys): Type | undefined {
  const keys = followed(full, start);
  const { type, enum: values, allOf, anyOf, oneOf } = nodeAt(full, keys) ?? {};
  if (anyOf || oneOf) return undefined;
  if (Array.isArray(allOf)) {
    return allOf.length === 1 ? typeAt(full, [...keys, "allOf", 0]) : undefined;
  }
  if (typeof type !== "string") return undefined;
  return {
    type,
    ...Array.isArray(values) && { enum: values },
    ...type === "array" && { items: typeAt(full, [...keys, "items"]) ?? {} },
  };
}
