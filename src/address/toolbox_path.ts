/** The path on other hosts than previews' that leads to the daemon in a sandbox. */
import { SANDBOX_REF } from "./grammar.ts";

/** A target below `/toolbox/`; `malformed` is one without a valid sandbox id. */
export type ToolboxPath =
  | {
    readonly sandboxId: string;
    /** The daemon's own request-target: the text after `/toolbox/{sandboxId}`, starting with a slash. */
    readonly target: string;
  }
  | "malformed";

const TOOLBOX = new RegExp(`^/toolbox/(${SANDBOX_REF})(?=[/?]|$)`);

/** Parses a request-target; undefined if it is none of a toolbox. */
export function toolboxPath(target: string): ToolboxPath | undefined {
  const found = TOOLBOX.exec(target);
  if (found === null) {
    return /^\/toolbox(?:[/?]|$)/.test(target) ? "malformed" : undefined;
  }
  const [prefix, sandboxId = ""] = found;
  const rest = target.slice(prefix.length);
  return { sandboxId, target: rest.startsWith("/") ? rest : `/${rest}` };
}
