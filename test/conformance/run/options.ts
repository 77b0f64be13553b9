/** The command line of `deno task conformance`. */
import { parseArgs } from "node:util";
import { UsageError } from "../../support/options.ts";
import type { Elsewhere } from "../elsewhere.ts";

export const USAGE = `usage: deno task conformance [FILE...]
       deno task conformance --target http://HOST:PORT --runner HOST:PORT
           [--api HOST:PORT] [--sandbox ID] [--host AUTHORITY] [--prefix PATH]
           [--porthole] [FILE...]

FILE is the beginning of the name of a file in test/conformance, such as smuggling or websocket.
`;

/** The options. */
export interface Options {
  /** Beginnings of the names of the files to run; empty to run all. */
  readonly files: readonly string[];
  /** The gateway to test; by default, Porthole in the same process. */
  readonly target?: TargetOptions;
}

/** A gateway that runs elsewhere, and the sandbox and the API that stand in for its surroundings. */
export interface TargetOptions extends Elsewhere {
  readonly sandbox: string;
  /** Where a stand-in for Daytona's API is to listen, `host:port`; none is started by default. */
  readonly api?: string;
}

const AUTHORITY = /^(?:[a-z0-9._-]+|\[[0-9a-f:]+\]):[1-9][0-9]{0,4}$/i;

/**
 * Parses the options.
 *
 * @throws {TypeError} for options that do not exist, and for a target that is no URL
 * @throws {UsageError} for others that are wrong
 */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals: files } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: { type: "string" },
      runner: { type: "string" },
      api: { type: "string" },
      sandbox: { type: "string", default: "demo" },
      host: { type: "string" },
      prefix: { type: "string" },
      porthole: { type: "boolean", default: false },
    },
  });
  if (values.target === undefined) return { files };
  const { sandbox, porthole: isPorthole, api } = values;
  const {
    host = `3000-${sandbox}.proxy.localhost`,
    prefix = `/sandboxes/${sandbox}/toolbox/proxy/3000`,
  } = values;
  const { protocol, host: gateway } = new URL(values.target);
  if (protocol !== "http:") throw new UsageError("--target must be plain http");
  const runner = authority("runner", values.runner);
  return {
    files,
    target: {
      gateway: gateway.includes(":") ? gateway : `${gateway}:80`,
      ...{ runner, sandbox, host, prefix, isPorthole },
      ...api !== undefined && { api: authority("api", api) },
    },
  };
}

function authority(name: string, value: string | undefined): string {
  if (value === undefined) throw new UsageError(`--target requires --${name}`);
  if (!AUTHORITY.test(value)) {
    throw new UsageError(`--${name} is not HOST:PORT`);
  }
  return value;
}
