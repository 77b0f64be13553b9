/** The command line of `deno task conformance`, as plain data. */
import { parseArgs } from "node:util";
import type { Elsewhere } from "../../test/conformance/elsewhere.ts";

export const USAGE = `usage: deno task conformance [FILE...]
       deno task conformance --target http://HOST:PORT --runner HOST:PORT
           [--api HOST:PORT] [--sandbox ID] [--host AUTHORITY] [--prefix PATH]
           [--porthole] [FILE...]

FILE is the beginning of a file's name in test/conformance: smuggling, websocket.
`;

/** What is asked for. */
export interface Options {
  /** Beginnings of the names of the files to run; empty for all. */
  readonly files: readonly string[];
  /** The gateway to run against; undefined for Porthole in the same process. */
  readonly target?: TargetOptions;
}

/** A gateway that runs elsewhere, and what of its surroundings is played here. */
export interface TargetOptions extends Elsewhere {
  readonly sandbox: string;
  /** Where the stand-in for Daytona's API listens, `host:port`; undefined where the gateway has another. */
  readonly api?: string;
}

const AUTHORITY = /^(?:[a-z0-9._-]+|\[[0-9a-f:]+\]):[1-9][0-9]{0,4}$/i;

/** The options, or what is wrong with them. */
export function parseOptions(args: readonly string[]): Options | string {
  try {
    return read(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function read(args: readonly string[]): Options {
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
  if (protocol !== "http:") throw new Error("--target has to be plain http");
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
  if (value === undefined) throw new Error(`--target needs --${name}`);
  if (!AUTHORITY.test(value)) throw new Error(`--${name} is no HOST:PORT`);
  return value;
}
