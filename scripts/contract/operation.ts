import {
  array,
  at,
  type Json,
  type JsonObject,
  object,
  resolve,
  string,
} from "./json.ts";

/** An operation of a description, with what it inherits from its path and its document. */
export interface Operation {
  readonly id: string;
  /** Upper case. */
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly needsBody: boolean;
  /** By status. */
  readonly responses: ReadonlyMap<string, JsonObject>;
  /** The accepted combinations of credentials, such as `http bearer`; empty if none is required. */
  readonly security: ReadonlySet<string>;
  /** The document that its references refer to. */
  readonly document: Json;
}

/** A parameter of an operation. */
export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required: boolean;
  readonly schema: Json;
}

const METHODS = [
  "get",
  "put",
  "post",
  "delete",
  "options",
  "head",
  "patch",
  "trace",
];

/** Every operation of an OpenAPI 3 description. */
export function operationsOf(document: Json): Operation[] {
  return Object.entries(object(at(document, "paths"))).flatMap(
    ([path, item]) =>
      METHODS.filter((method) => at(item, method) !== undefined).map((method) =>
        operationOf({ document, path, method, item })
      ),
  );
}

/** The names of the path's parameters, in order. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => name);
}

/** The part of the path that matters on the wire: everything but the names of its parameters. */
export function pathShape(path: string): string {
  return path.replaceAll(/\{[^{}]+\}/g, "{}");
}

function operationOf(
  place: { document: Json; path: string; method: string; item: Json },
): Operation {
  const { document, path, method, item } = place;
  const node = at(item, method);
  const parameters = [
    ...array(at(item, "parameters")),
    ...array(at(node, "parameters")),
  ].map((parameter) => parameterOf(parameter, document));
  const requirements = at(node, "security") ?? at(document, "security");
  return {
    id: string(at(node, "operationId")) ?? `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    // The operation's own parameters override those of its path.
    parameters: [
      ...new Map(parameters.map((each) => [keyOf(each), each])).values(),
    ],
    needsBody: resolve(at(node, "requestBody"), document)["required"] === true,
    responses: new Map(
      Object.entries(object(at(node, "responses"))).map((
        [status, response],
      ) => [
        status,
        resolve(response, document),
      ]),
    ),
    security: new Set(
      array(requirements).map((each) => credentialsOf(each, document)).filter(
        (credentials, _, all) => credentials !== "" && !all.includes(""),
      ),
    ),
    document,
  };
}

/** The identity of a parameter; field names are case-insensitive (RFC 9110 section 5.1). */
export function keyOf(parameter: Parameter): string {
  const { in: place, name } = parameter;
  return `${place} ${place === "header" ? name.toLowerCase() : name}`;
}

function parameterOf(value: Json, document: Json): Parameter {
  const parameter = resolve(value, document);
  return {
    in: string(parameter["in"]) ?? "",
    name: string(parameter["name"]) ?? "",
    required: parameter["required"] === true,
    schema: parameter["schema"] ?? {},
  };
}

/** Everything that one alternative requires, by kind, since the names of schemes do not appear on the wire. */
function credentialsOf(requirement: Json, document: Json): string {
  return Object.keys(object(requirement)).map((name) => {
    const scheme = resolve(
      at(document, "components", "securitySchemes", name),
      document,
    );
    return [scheme["type"], scheme["scheme"], scheme["in"], scheme["name"]]
      .flatMap((part) => string(part)?.toLowerCase() ?? [])
      .join(" ") || name;
  }).sort().join(" + ");
}
