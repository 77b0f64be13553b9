/** The options of `deno task bench`. */
import { parseArgs } from "node:util";
import { positiveNumber, UsageError } from "../../support/options.ts";

/** A proxy on 127.0.0.1 that is started by hand. */
export interface Peer {
  readonly name: string;
  readonly port: number;
}

/** A range of commits, and how many landings are one step of it. */
export interface Walk {
  readonly from: string;
  readonly to: string;
  readonly every: number | undefined;
}

/** A run of the bench. */
export interface Options {
  /** Names of scenarios; by default, those that have targets. */
  readonly only: readonly string[] | undefined;
  /** Measure all scenarios. */
  readonly all: boolean;
  /** Measure a few in four minutes, with one process of each contestant; compare in a third of the time. */
  readonly quick: boolean;
  /** Measure growth instead of scenarios. */
  readonly growth: boolean;
  /** The name of a scenario to profile instead. */
  readonly profile: string | undefined;
  /** The commit to compare this one with instead; "anchor" for that of each row's best figure. */
  readonly against: string | undefined;
  /** The commits to compare with each other instead. */
  readonly walk: Walk | undefined;
  /** Compare by the processor time of a gateway whose clients and runner are in its process. */
  readonly alone: boolean;
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
                       [--against COMMIT|anchor [--only NAME,…] [--quick | --alone]]
                       [--walk FROM..TO [--every LANDINGS] [--only NAME,…] [--alone]]
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
      walk: { type: "string" },
      every: { type: "string" },
      alone: { type: "boolean", default: false },
      redraw: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
      peer: { type: "string", multiple: true, default: [] },
    },
  });
  const { peer, walk, every, ...options } = values;
  const { only, all, quick, growth, profile, against, redraw, save } = options;
  const isComparison = against !== undefined || walk !== undefined;
  const wholes = [all, growth, redraw, profile !== undefined];
  const parts = [only !== undefined, quick];
  const ways = [...wholes, ...isComparison ? [] : parts].filter(Boolean).length;
  if (
    ways > (isComparison ? 0 : 1) || against !== undefined && walk !== undefined
  ) throw new UsageError("These ways to run exclude each other");
  if (save && [isComparison, profile !== undefined, ...parts].includes(true)) {
    throw new UsageError("Only complete runs are saved");
  }
  if (options.alone && !isComparison) {
    throw new UsageError("--alone is a way to compare");
  }
  if (every !== undefined && walk === undefined) {
    throw new UsageError("--every says how long the steps of --walk are");
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
    walk: walk === undefined ? undefined : parseWalk(walk, every),
    only: names,
    peers: peer.map(parsePeer),
  };
}

function parseWalk(range: string, every: string | undefined): Walk {
  const [, from, to] = /^(.+?)\.\.(.+)$/.exec(range) ?? [];
  if (from === undefined || to === undefined) {
    throw new UsageError(`Not a range of commits: '${range}'`);
  }
  const landings = every === undefined
    ? undefined
    : Math.ceil(positiveNumber("every", every));
  return { from, to, every: landings };
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
