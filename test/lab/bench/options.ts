/** The options of `deno task bench`. */
import { parseArgs } from "node:util";
import { UsageError } from "../../support/options.ts";

/** A proxy on 127.0.0.1 that is started by hand. */
export interface Peer {
  readonly name: string;
  readonly port: number;
}

/** A run of the bench. */
export interface Options {
  /** Names of scenarios; by default, those that have targets. */
  readonly only: readonly string[] | undefined;
  /** Measure all scenarios. */
  readonly all: boolean;
  /** Measure a few in three minutes, with one process of each contestant. */
  readonly quick: boolean;
  /** Measure growth instead of scenarios. */
  readonly growth: boolean;
  /** The name of a scenario to profile instead. */
  readonly profile: string | undefined;
  /** The commit to compare this one with instead. */
  readonly against: string | undefined;
  /** Measure nothing, but rewrite docs/performance.md and its charts from the stored results. */
  readonly redraw: boolean;
  /** Write JSON to standard output. */
  readonly json: boolean;
  /** Store the results, and show them on docs/performance.md; only complete runs can be saved. */
  readonly save: boolean;
  readonly peers: readonly Peer[];
}

/** Usage. */
export const USAGE =
  `usage: deno task bench [--only NAME,… | --all | --quick | --growth | --profile NAME | --redraw]
                       [--against COMMIT [--only NAME,…]]
                       [--json] [--save] [--peer NAME=http://127.0.0.1:PORT]…`;

/**
 * Parses the options.
 *
 * @param scenarios the names of all scenarios
 * @throws {TypeError} for options that do not exist
 * @throws {UsageError} for others that are wrong
 */
export function parseOptions(
  args: readonly string[],
  scenarios: readonly string[],
): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      all: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      growth: { type: "boolean", default: false },
      profile: { type: "string" },
      against: { type: "string" },
      redraw: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
      peer: { type: "string", multiple: true, default: [] },
    },
  });
  const { peer, ...options } = values;
  const { only, all, quick, growth, profile, against, redraw, save } = options;
  const parts = [only !== undefined, profile !== undefined, quick];
  const ways = [...parts, all, growth, redraw].filter(Boolean).length;
  const isAgainst = against !== undefined;
  if (ways > 1 || isAgainst && ways > (only === undefined ? 0 : 1)) {
    throw new UsageError("These ways to run exclude each other");
  }
  if (save && (isAgainst || parts.includes(true))) {
    throw new UsageError("Only complete runs are saved");
  }
  const names = only?.split(",").map((name) => name.trim());
  const unknown = [...names ?? [], ...profile === undefined ? [] : [profile]]
    .filter((name) => !scenarios.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `No such scenario: ${unknown.join(", ")}; choose from ${
        scenarios.join(", ")
      }`,
    );
  }
  return {
    ...options,
    profile,
    against,
    only: names,
    peers: peer.map(parsePeer),
  };
}

/** Parses a peer, which must be on this machine: load is sent nowhere else. */
function parsePeer(text: string): Peer {
  const [, name, address] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const { protocol, hostname, port, pathname } = URL.parse(address ?? "") ?? {};
  if (
    name === undefined || protocol !== "http:" || hostname !== "127.0.0.1" ||
    port === undefined || port === "" || pathname !== "/"
  ) throw new UsageError(`Not a peer on 127.0.0.1: '${text}'`);
  return { name, port: Number(port) };
}
