import { at, type Json, object } from "./json.ts";
import {
  keyOf,
  type Operation,
  operationsOf,
  type Parameter,
  pathParameters,
  pathShape,
} from "./operation.ts";
import { misfits } from "./shape.ts";

/** The kind of a change. */
export type DriftKind =
  | "operation gone"
  | "operation moved"
  | "operation renamed"
  | "parameter gone"
  | "parameter renamed"
  | "parameter required"
  | "parameter type changed"
  | "body required"
  | "response gone"
  | "content gone"
  | "field gone"
  | "type changed"
  | "security changed";

/** A change that would break a caller who relies on our slice. */
export interface Drift {
  /** The operationId in the slice. */
  readonly operation: string;
  readonly kind: DriftKind;
  readonly detail: string;
}

/**
 * Every change in the full description that would break a caller who relies on the slice. Additions do not count,
 * unless a caller has to send them.
 */
export function findDrift(slice: Json, full: Json): Drift[] {
  const ours = operationsOf(slice);
  const all = operationsOf(full);
  const base = basePathOf(ours, all);
  const theirs = all.map((each) =>
    each.path.startsWith(base)
      ? { ...each, path: each.path.slice(base.length) }
      : each
  );
  return ours.flatMap((operation) => driftOf(operation, theirs));
}

/** The prefix that most paths of the full description have before ours: a running API puts its global prefix there. */
function basePathOf(
  ours: readonly Operation[],
  theirs: readonly Operation[],
): string {
  const paths = new Map(theirs.map(({ id, path }) => [id, pathShape(path)]));
  const prefixes = ours.flatMap(({ id, path }) => {
    const [shape, theirs = ""] = [pathShape(path), paths.get(id)];
    return theirs.endsWith(shape) ? [theirs.slice(0, -shape.length)] : [];
  });
  const counts = Map.groupBy(prefixes, (prefix) => prefix);
  const [most] = [...counts].sort(([, a], [, b]) => b.length - a.length);
  return most?.[0] ?? "";
}

function driftOf(ours: Operation, theirs: readonly Operation[]): Drift[] {
  const byId = theirs.find(({ id }) => id === ours.id);
  const byPlace = theirs.find((each) => placeOf(each) === placeOf(ours));
  const match = byId ?? byPlace;
  const operation = ours.id;
  if (match === undefined) {
    const detail =
      `there is neither that operationId nor ${ours.method} ${ours.path}`;
    return [{ operation, kind: "operation gone", detail }];
  }
  const found: Found[] = [];
  if (byId === undefined) {
    found.push(["operation renamed", `it is now ${match.id}`]);
  }
  if (match !== byPlace) {
    const [from, to] = [ours, match].map(({ method, path }) =>
      `${method} ${path}`
    );
    found.push(["operation moved", `from ${from} to ${to}`]);
  }
  found.push(
    ...parameterDrift(ours, match),
    ...responseDrift(ours, match),
    ...securityDrift(ours, match),
  );
  return found.map(([kind, detail]) => ({ operation, kind, detail }));
}

type Found = readonly [kind: DriftKind, detail: string];

function placeOf({ method, path }: Operation): string {
  return `${method} ${pathShape(path)}`;
}

function parameterDrift(ours: Operation, theirs: Operation): Found[] {
  const found: Found[] = [];
  function compare(mine: Parameter, other: Parameter): void {
    const label = `${mine.in} parameter ${mine.name}`;
    if (mine.name !== other.name && mine.in === "path") {
      found.push(["parameter renamed", `${label} is now ${other.name}`]);
    }
    if (other.required && !mine.required) {
      found.push(["parameter required", label]);
    }
    // The roles are swapped here: what we send must be what they accept.
    const given = { schema: mine.schema, document: ours.document };
    const wanted = { schema: other.schema, document: theirs.document };
    for (const { place, detail } of misfits(given, wanted)) {
      found.push(["parameter type changed", `${label}${place}: ${detail}`]);
    }
  }

  const rest = new Map(theirs.parameters.map((each) => [keyOf(each), each]));
  const names = renamedTo(ours, theirs);
  for (const mine of ours.parameters) {
    const name = mine.in === "path" ? names.get(mine.name) : undefined;
    const key = keyOf({ ...mine, name: name ?? mine.name });
    const other = rest.get(key);
    rest.delete(key);
    if (other !== undefined) compare(mine, other);
    else found.push(["parameter gone", `${mine.in} parameter ${mine.name}`]);
  }
  for (const { in: place, name, required } of rest.values()) {
    if (!required) continue;
    found.push(["parameter required", `new ${place} parameter ${name}`]);
  }
  if (theirs.needsBody && !ours.needsBody) {
    found.push(["body required", "it must be sent now"]);
  }
  return found;
}

/** Their name for each of our path parameters, by position, since the names do not appear on the wire. */
function renamedTo(ours: Operation, theirs: Operation): Map<string, string> {
  if (pathShape(ours.path) !== pathShape(theirs.path)) return new Map();
  const names = pathParameters(theirs.path);
  return new Map(
    pathParameters(ours.path).map((name, i) => [name, names[i] ?? name]),
  );
}

/** Compares successful responses only: Daytona's description does not list the errors that its API returns. */
function responseDrift(ours: Operation, theirs: Operation): Found[] {
  return [...ours.responses].filter(([status]) => status.startsWith("2"))
    .flatMap(([status, mine]): Found[] => {
      const other = theirs.responses.get(status) ?? theirs.responses.get("2XX");
      if (other === undefined) {
        const now = [...theirs.responses.keys()].join(", ") || "none";
        return [["response gone", `status ${status}; there is ${now}`]];
      }
      return Object.entries(object(mine["content"])).flatMap(
        ([mediaType, content]): Found[] => {
          const offered = object(other["content"]);
          const schema = at(offered, mediaType, "schema");
          if (schema === undefined) {
            const now = Object.keys(offered).join(", ") || "none";
            return [[
              "content gone",
              `${status} ${mediaType}; there is ${now}`,
            ]];
          }
          const given = { schema, document: theirs.document };
          const wanted = {
            schema: at(content, "schema") ?? {},
            document: ours.document,
          };
          return misfits(given, wanted).map((
            { kind, place, detail },
          ): Found => [
            kind,
            `${status} ${place || "body"}: ${detail}`,
          ]);
        },
      );
    });
}

function securityDrift(ours: Operation, theirs: Operation): Found[] {
  const isKept = ours.security.size === 0
    ? theirs.security.size === 0
    : !ours.security.isDisjointFrom(theirs.security);
  if (isKept) return [];
  const [was, is] = [ours, theirs].map(({ security }) =>
    [...security].join(" or ") || "no credential"
  );
  return [["security changed", `${is} instead of ${was}`]];
}
