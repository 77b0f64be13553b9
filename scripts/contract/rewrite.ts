/** Brings the slice up to date with a full description: what `deno task contract:check` finds is rewritten. */
import { type Document, isMap, isScalar, parse, parseDocument } from "yaml";
import { formatted } from "../generate/text.ts";
import {
  credentialOf,
  type Description,
  operationsOf,
  type Place,
} from "./description.ts";
import { compare, type Drift, prefixOf } from "./drift.ts";
import type { Keys } from "./locate.ts";
import { rewriteParameter, rewriteResponse } from "./rewrite_types.ts";

/** A slice that was brought up to date. */
export interface Rewriting {
  /** The whole text, with the order and the comments that it had; of no use if there are problems. */
  readonly text: string;
  /** What was rewritten, one line each. */
  readonly changes: readonly string[];
  /** What only a person can decide, one line each. */
  readonly problems: readonly string[];
  /** The ids of optional operations that the full description does not have. */
  readonly absent: readonly string[];
}

/**
 * Rewrites what the slice promises and the full description does not keep. Nothing is added but what a caller has to
 * send now. What is gone is a problem, since somebody relies on it.
 *
 * @throws {Error} if one of them is not an OpenAPI 3 description
 */
export async function rewrite(
  slice: string,
  full: Description,
): Promise<Rewriting> {
  const { drift, absent } = await compare(parse(slice), full);
  if (drift.length === 0) {
    return { text: slice, changes: [], problems: [], absent };
  }
  const document = parseDocument(slice);
  // Everything else is found by the place that its operation had.
  const moves = drift.filter(({ change }) => change === "moved");
  const others = drift.filter(({ change }) => change !== "moved");
  const failed = [...others, ...moves].filter((each) =>
    !apply(each, { document, full })
  );
  // Lines stay as they are; only of a folded text (`>-`) they would not.
  const text = await formatted(document.toString({ lineWidth: 0 }), "yaml");
  const problems = failed.map(({ text }) => text);
  if (problems.length === 0) {
    const { drift } = await compare(parse(text), full);
    for (const { text } of drift) {
      problems.push(`${text}, once it is rewritten for another operation`);
    }
  }
  const changes = drift.map(({ text }) => text)
    .filter((text) => !problems.includes(text));
  return { text, changes, problems, absent };
}

/** Rewrites one drift; false if that is not possible. */
function apply(
  { mine, other, change }: Drift,
  { document, full }: {
    readonly document: Document;
    readonly full: Description;
  },
): boolean {
  if (other === undefined || change === "gone") return false;
  const operation = ["paths", mine.path, mine.method];
  switch (change) {
    case "renamed":
      document.setIn([...operation, "operationId"], other.operationId);
      return true;
    case "credential": {
      const credential = credentialOf(other, full);
      const security = credential === "none" ? [] : [{ bearer: [] }];
      document.setIn(
        [...operation, "security"],
        document.createNode(security, { flow: true }),
      );
      return credential !== "another";
    }
    case "moved": {
      const prefix = prefixOf(operationsOf(full));
      const path = other.path.slice(prefix.length);
      return move(document, mine, { method: other.method, path });
    }
    default: {
      const descriptions = { document, full, mine, other };
      return change.part === "request"
        ? rewriteParameter(change, descriptions)
        : rewriteResponse(change, descriptions);
    }
  }
}

/** Renames the keys of an operation's place, which leaves it where it is written; false if another one is there. */
function move(document: Document, from: Place, to: Place): boolean {
  const item = document.getIn(["paths", from.path]);
  const isAlone = isMap(item) && item.items.length === 1;
  if (from.path === to.path) {
    if (document.hasIn(["paths", to.path, to.method])) return false;
  } else if (!isAlone || document.hasIn(["paths", to.path])) return false;
  rename(document, ["paths", from.path], from.method, to.method);
  rename(document, ["paths"], from.path, to.path);
  return true;
}

function rename(document: Document, map: Keys, from: string, to: string): void {
  const node = document.getIn(map);
  if (!isMap(node)) return;
  for (const { key } of node.items) {
    // The node has the comments and the blank line before it.
    if (isScalar(key) && key.value === from) key.value = to;
  }
}
