/** What of a full description breaks a caller who relies on the slice. */
import {
  credentialOf,
  type Description,
  type Operation,
  operationsOf,
} from "./description.ts";
import { locate, nodeAt } from "./locate.ts";
import { compileTypes, type Difference } from "./types.ts";

/** A change of an operation that breaks a caller. */
export interface Drift {
  /** The operation of the slice. */
  readonly mine: Operation;
  /** The same one in the full description; undefined if it is gone. */
  readonly other: Operation | undefined;
  readonly change: "gone" | "renamed" | "moved" | "credential" | Difference;
  /** The change in one line. */
  readonly text: string;
}

/** A comparison of the slice with a full description. */
export interface Comparison {
  readonly drift: readonly Drift[];
  /** The ids of optional operations that the full description does not have. */
  readonly absent: readonly string[];
}

/**
 * Compares the slice with a full description. Additions are no drift, unless a caller has to send them; neither is the
 * absence of what the slice marks with `x-optional`.
 *
 * @throws {Error} if one of them is not an OpenAPI 3 description
 */
export async function compare(
  slice: Description,
  full: Description,
): Promise<Comparison> {
  const types = await compileTypes(slice, full);
  const theirs = operationsOf(full);
  const prefix = prefixOf(theirs);
  const absent: string[] = [];
  const drift = operationsOf(slice).flatMap((mine): Drift[] => {
    const byId = theirs.find((each) => each.operationId === mine.operationId);
    const inPlace = theirs.find(({ method, path }) =>
      method === mine.method && path === prefix + mine.path
    );
    const other = byId ?? inPlace;
    function line(change: Drift["change"], text: string): Drift {
      return { mine, other, change, text: `${mine.operationId}: ${text}` };
    }
    if (other === undefined) {
      if (mine["x-optional"] !== true) return [line("gone", "gone")];
      absent.push(`${mine.operationId}`);
      return [];
    }
    const was = credentialOf(mine, slice);
    const is = credentialOf(other, full);
    const place = `${other.method.toUpperCase()} ${other.path}`;
    return [
      ...other === byId
        ? []
        : [line("renamed", `renamed to ${other.operationId}`)],
      ...other === inPlace ? [] : [line("moved", `moved to ${place}`)],
      ...was === is
        ? []
        : [line("credential", `credential: ${is} instead of ${was}`)],
      ...[...types.differences(mine, other)]
        .filter((difference) => !isExpected(difference, mine, slice))
        .map((difference) => line(difference, difference.text)),
    ];
  });
  return { drift, absent };
}

/** The prefix of all paths with which a running API describes itself. */
export function prefixOf(operations: readonly Operation[]): "/api" | "" {
  return operations.every(({ path }) => path.startsWith("/api/")) ? "/api" : "";
}

/** True if the slice expects that something is not there. */
function isExpected(
  { problem, steps }: Difference,
  mine: Operation,
  slice: Description,
): boolean {
  if (problem !== "gone") return false;
  const keys = locate(slice, mine, steps);
  return keys !== undefined && nodeAt(slice, keys)?.["x-optional"] === true;
}
