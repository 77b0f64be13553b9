/** Where in a description a part of an operation is written. */
import type { Place } from "./description.ts";

/**
 * The way from an operation to a part of it: `["parameters", "path", "id"]`, `["requestBody"]`, or `["responses",
 * "200", "content", "application/json"]`, and then the names of members, with `[]` for the items of an array.
 */
export type Steps = readonly string[];

/** The keys from the root of a description to a node. */
export type Keys = readonly (string | number)[];

type Node = Readonly<Record<string | number, unknown>>;

/** The object or list at these keys; undefined if there is none. */
export function nodeAt(root: object, keys: Keys): Node | undefined {
  let node: unknown = root;
  for (const key of keys) node = isNode(node) ? node[key] : undefined;
  return isNode(node) ? node : undefined;
}

/**
 * The keys of what describes a part of an operation; undefined if there is nothing. References on the way are
 * followed; what is found may be one.
 */
export function locate(
  root: object,
  { path, method }: Place,
  [kind, ...steps]: Steps,
): Keys | undefined {
  const operation = ["paths", path, method];
  switch (kind) {
    case undefined:
      return operation;
    case "parameters": {
      const [location = "", name = "", ...members] = steps;
      const found = parameter(root, operation, { location, name }) ??
        parameter(root, ["paths", path], { location, name });
      return found && member(root, found, members);
    }
    case "requestBody":
      return content(root, [...operation, kind], steps, 2);
    default:
      return content(root, [...operation, kind], steps, 3);
  }
}

/** The keys at the end of a chain of references. */
export function followed(root: object, keys: Keys): Keys {
  let end = keys;
  // A chain that never ends is no description.
  for (let links = 0; links < 100; links++) {
    const ref = nodeAt(root, end)?.$ref;
    if (typeof ref !== "string" || !ref.startsWith("#/")) break;
    end = ref.slice(2).split("/")
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return end;
}

function parameter(
  root: object,
  holder: Keys,
  { location, name }: { readonly location: string; readonly name: string },
): Keys | undefined {
  const list = [...holder, "parameters"];
  return Object.keys(nodeAt(root, list) ?? {})
    .map((index) => followed(root, [...list, Number(index)]))
    .find((keys) => {
      const found = nodeAt(root, keys);
      return found?.in === location && found.name === name;
    });
}

/** Walks the first `depth` steps by key, to a media type, and the rest in its schema. */
function content(
  root: object,
  start: Keys,
  steps: Steps,
  depth: number,
): Keys | undefined {
  let keys = start;
  for (const key of steps.slice(0, depth)) {
    keys = [...followed(root, keys), key];
  }
  return nodeAt(root, keys) && member(root, keys, steps.slice(depth));
}

/** Walks from a schema, or from what has one, to a member of a member. */
function member(root: object, start: Keys, steps: Steps): Keys | undefined {
  const [name, ...rest] = steps;
  if (name === undefined) return start;
  const keys = followed(root, start);
  const node = nodeAt(root, keys);
  if (node === undefined) return undefined;
  if (isNode(node.schema)) return member(root, [...keys, "schema"], steps);
  if (name === "[]" && isNode(node.items)) {
    return member(root, [...keys, "items"], rest);
  }
  if (isNode(node.properties) && name in node.properties) {
    return member(root, [...keys, "properties", name], rest);
  }
  for (const index of Object.keys(node.allOf ?? {})) {
    const found = member(root, [...keys, "allOf", Number(index)], steps);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isNode(node: unknown): node is Node {
  return typeof node === "object" && node !== null;
}
