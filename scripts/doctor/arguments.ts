/** The doctor's command line. */
import { isPort, isSandboxRef } from "../../src/address/grammar.ts";

/** What to examine. */
export interface DoctorArguments {
  readonly isJson: boolean;
  /** A sandbox whose region is asked for besides everything else. */
  readonly sandboxId: string | undefined;
  /** A preview to go through instead. */
  readonly preview:
    | {
      readonly sandboxId: string;
      readonly port: number;
      readonly path: string;
    }
    | undefined;
  /** True to examine all names of ports instead. */
  readonly names: boolean;
}

/** How to call it. */
export const USAGE = `usage: deno task doctor [--json] [SANDBOX]
       deno task doctor --sandbox SANDBOX [--port PORT] [--path PATH] [--json]
       deno task doctor --names [--json]`;

const DEFAULT_PORT = "3000";
const PATH = /^\/[\x21-\x7e]*$/;
const OPTIONS = ["--sandbox", "--port", "--path"];

/**
 * Reads the arguments; undefined if they make no sense.
 *
 * @example
 * ```ts
 * doctorArguments(["--sandbox", "demo"])?.preview; // { sandboxId: "demo", port: 3000, path: "/" }
 * ```
 */
export function doctorArguments(
  args: readonly string[],
): DoctorArguments | undefined {
  const isJson = args.includes("--json");
  const nothing = { isJson, sandboxId: undefined, preview: undefined };
  const rest = args.filter((arg) => arg !== "--json")
    .flatMap((arg) => arg.startsWith("--") ? arg.split(/=(.*)/s, 2) : [arg]);
  if (rest.length === 1 && rest[0] === "--names") {
    return { ...nothing, names: true };
  }
  if (!rest.some((arg) => arg.startsWith("-"))) {
    const [sandboxId, ...more] = rest;
    const isUsable = sandboxId === undefined || isSandboxRef(sandboxId);
    return isUsable && more.length === 0
      ? { ...nothing, sandboxId, names: false }
      : undefined;
  }
  const given = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 2) {
    const [name = "", value] = rest.slice(i, i + 2);
    if (!OPTIONS.includes(name) || value === undefined || given.has(name)) {
      return undefined;
    }
    given.set(name, value);
  }
  const sandboxId = given.get("--sandbox") ?? "";
  const digits = given.get("--port") ?? DEFAULT_PORT;
  const path = given.get("--path") ?? "/";
  const isUsable = isSandboxRef(sandboxId) && /^[1-9]\d*$/.test(digits) &&
    isPort(Number(digits)) && PATH.test(path);
  const preview = { sandboxId, port: Number(digits), path };
  return isUsable ? { ...nothing, preview, names: false } : undefined;
}
