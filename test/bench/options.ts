/** The options of `deno task bench`. */
import { parseArgs } from "node:util";

/** A proxy on 127.0.0.1 that is started by hand. */
export interface Peer {
  readonly name: string;
  readonly port: number;
}

/** What to measure, and how to report it. */
export interface Options {
  /** Names of scenarios; by default, those that have targets. */
  readonly only: readonly string[] | undefined;
  /** Measure all scenarios. */
  readonly all: boolean;
  /** Measure growth instead of scenarios. */
  readonly growth: boolean;
  /** The name of a scenario to profile instead. */
  readonly profile: string | undefined;
  /** Write JSON to standard output. */
  readonly json: boolean;
  /** Save the results, also to docs/performance.md. */
  readonly save: boolean;
  readonly peers: readonly Peer[];
}

/** Usage, in two lines. */
export const USAGE =
  `usage: deno task bench [--only NAME,… | --all | --growth | --profile NAME]
                       [--json] [--save] [--peer NAME=http://127.0.0.1:PORT]…`;

/**
 * Parses the options.
 *
 * @returns what is wrong with them, in one line, if they are invalid
 */
export function parseOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        all: { type: "boolean", default: false },
        growth: { type: "boolean", default: false },
        profile: { type: "string" },
        json: { type: "boolean", default: false },
        save: { type: "boolean", default: false },
        peer: { type: "string", multiple: true, default: [] },
      },
    });
    const { only, all, growth, profile, json, save } = values;
    const modes = [only !== undefined, all, growth, profile !== undefined];
    if (modes.filter(Boolean).length > 1) {
      return "Only one of --only, --all, --growth and --profile can be given";
    }
    const peers: Peer[] = [];
    for (const text of values.peer) {
      const peer = parsePeer(text);
      if (peer === undefined) {
        return `Not a peer on 127.0.0.1: '${text}'`;
      }
      peers.push(peer);
    }
    const names = only?.split(",").map((name) => name.trim());
    return { only: names, all, growth, profile, json, save, peers };
  } catch (error) {
    return error instanceof Error ? error.message : `${error}`;
  }
}

/** Parses a peer, which must be on this machine: load is sent nowhere else. */
function parsePeer(text: string): Peer | undefined {
  const [, name, address] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const url = URL.parse(address ?? "");
  if (name === undefined || url?.protocol !== "http:") return undefined;
  const { hostname, port, pathname } = url;
  return hostname === "127.0.0.1" && port !== "" && pathname === "/"
    ? { name, port: Number(port) }
    : undefined;
}
