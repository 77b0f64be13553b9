/** The paths of a base host that the data plane serves: sandboxes' toolboxes and build logs. */
import { SANDBOX_REF } from "./grammar.ts";

/** A path on the base host that leads to a runner. */
export type BaseRoute =
  | {
    readonly kind: "toolbox";
    readonly sandboxId: string;
    /** The daemon's own request-target: the text after `/toolbox/{sandboxId}`, starting with a slash. */
    readonly target: string;
  }
  | {
    readonly kind: "build_logs";
    readonly of: "snapshot" | "sandbox";
    readonly id: string;
    /** The query with its question mark; empty if there is none. */
    readonly query: string;
  }
  /** Below `/toolbox/`, but without a valid sandbox id. */
  | { readonly kind: "malformed" };

const TOOLBOX = new RegExp(`^/toolbox/(${SANDBOX_REF})(?=[/?]|$)`);
const BUILD_LOGS = new RegExp(
  `^/(snapshots|sandboxes)/(${SANDBOX_REF})/build-logs(?=\\?|$)`,
);

/** Parses a request-target on the base host; undefined if it belongs to the control plane. */
export function baseRoute(target: string): BaseRoute | undefined {
  const toolbox = TOOLBOX.exec(target);
  if (toolbox !== null) {
    const [prefix, sandboxId = ""] = toolbox;
    const rest = target.slice(prefix.length);
    return {
      kind: "toolbox",
      sandboxId,
      target: rest.startsWith("/") ? rest : `/${rest}`,
    };
  }
  if (/^\/toolbox(?:[/?]|$)/.test(target)) return { kind: "malformed" };
  const logs = BUILD_LOGS.exec(target);
  if (logs === null) return undefined;
  const [path, resource, id = ""] = logs;
  return {
    kind: "build_logs",
    of: resource === "snapshots" ? "snapshot" : "sandbox",
    id,
    query: target.slice(path.length),
  };
}
