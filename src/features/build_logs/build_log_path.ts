/** The paths of build logs. */
import { SANDBOX_REF } from "../../address/grammar.ts";

/** A build whose log is asked for. */
export interface BuildLogPath {
  readonly of: "snapshot" | "sandbox";
  readonly id: string;
  /** The query with its question mark; empty if there is none. */
  readonly query: string;
}

const BUILD_LOGS = new RegExp(
  `^/(snapshots|sandboxes)/(${SANDBOX_REF})/build-logs(?=\\?|$)`,
);

/** Parses a request-target; undefined if it is none of a build log. */
export function buildLogPath(target: string): BuildLogPath | undefined {
  const [path, resource, id = ""] = BUILD_LOGS.exec(target) ?? [];
  if (path === undefined) return undefined;
  const of = resource === "snapshots" ? "snapshot" : "sandbox";
  return { of, id, query: target.slice(path.length) };
}
