/** The options of `deno task bench`. */
import { parseArgs } from "node:util";

/** A proxy that somebody else started on 127.0.0.1. */
export interface Peer {
  readonly name: string;
  readonly port: number;
}

/** What to measure, and what becomes of it. */
export interface Options {
  /** Names of scenarios; undefined: those that have targets. */
  readonly only: readonly string[] | undefined;
  /** Every scenario but those of growth. */
  readonly all: boolean;
  /** The cost as work grows, instead. */
  readonly growth: boolean;
  /** The scenario to take a profile of, instead. */
  readonly profile: string | undefined;
  /** Whether standard output is to be JSON. */
  readonly json: boolean;
  /** Whether to keep the results, and to write them into docs/performance.md. */
  readonly save: boolean;
  readonly peers: readonly Peer[];
}

/** Usage, as lines. */
export const USAGE =
  `usage: deno task bench [--only NAME,… | --all | --growth | --profile NAME]
                       [--json] [--save] [--peer NAME=http://127.0.0.1:PORT]…`;

/**
 * Reads the options.
 *
 * @returns What is wrong with them, in one line, where something is
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

/** Load goes nowhere but to this machine. */
function parsePeer(text: string): Peer | undefined {
  const [, name, address] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const url = URL.parse(address ?? "");
  if (name === undefined || url?.protocol !== "http:") return undefined;
  const { hostname, port, pathname } = url;
  return hostname === "127.0.0.1" && port !== "" && pathname === "/"
    ? { name, port: Number(port) }
    : undefined;
}
