/** The options of `deno task attack`. */
import { parseArgs } from "node:util";
import type { Scheme } from "../../support/dial.ts";
import { type FrontName, FRONTS } from "./front.ts";
import { SLOW_KINDS, type SlowFlood } from "./attacks/slow_holders.ts";
import { positiveNumber, UsageError } from "../../support/options.ts";

/** A run of the suite. */
export interface Options {
  /** The duration of the soak, without its warm-up and its rest, min; undefined for attacks one by one. */
  readonly minutes: number | undefined;
  /** Names of attacks, or what they begin with; all by default. */
  readonly only: readonly string[] | undefined;
  /** Only the attacks of the gate, and only what is certain is judged. */
  readonly short: boolean;
  /** Slow floods instead of the attacks that have names. */
  readonly slow: readonly SlowFlood[] | undefined;
  readonly schemes: readonly Scheme[];
  /** The memory that a gateway may take, MiB; a soak does not limit it. */
  readonly memoryMib: number;
  /** What stands before the gateway, which is spoken to over plain HTTP then; nothing by default. */
  readonly front: FrontName | undefined;
  /** The checkout whose gateway is attacked, such as the one before a change; this one by default. */
  readonly folder: string | undefined;
  /** Store the results, and show them in the documents; only complete runs can be saved. */
  readonly save: boolean;
}

/** Usage, in three lines. */
export const USAGE =
  `usage: deno task attack [--only NAME,… | --short | --slow KIND:HOLDERS:MB/S:ADDRESSES[:AWAY],…] [--plain | --tls] [--memory MIB]
                        [--front ${
    FRONTS.join("|")
  }] [--gateway FOLDER] [--save]
       deno task attack --minutes N [--gateway FOLDER]`;

/**
 * Parses the options.
 *
 * @param attacks the names of all attacks
 * @throws {TypeError} for options that do not exist
 * @throws {UsageError} for others that are wrong
 */
export function parseOptions(
  args: readonly string[],
  attacks: readonly string[],
): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string" },
      only: { type: "string" },
      slow: { type: "string" },
      short: { type: "boolean", default: false },
      plain: { type: "boolean", default: false },
      tls: { type: "boolean", default: false },
      memory: { type: "string" },
      front: { type: "string" },
      gateway: { type: "string" },
      save: { type: "boolean", default: false },
    },
  });
  const { minutes, slow, short, plain, tls, memory, gateway, save } = values;
  const front = FRONTS.find((known) => known === values.front);
  if (front !== values.front) {
    throw new UsageError(`--front knows ${FRONTS.join(", ")}`);
  }
  if (front !== undefined && slow === undefined) {
    throw new UsageError("--front goes with --slow");
  }
  const only = values.only?.split(",").map((name) => name.trim());
  if (short && only !== undefined) {
    throw new UsageError("--short and --only exclude each other");
  }
  const isPart = short || slow !== undefined || plain || tls ||
    only !== undefined;
  if (save && (isPart || gateway !== undefined)) {
    throw new UsageError("Only complete runs are saved");
  }
  if (minutes !== undefined && (isPart || save || memory !== undefined)) {
    throw new UsageError("--minutes goes with --gateway only");
  }
  const unknown =
    only?.filter((name) => !attacks.some((attack) => isNamed(attack, name))) ??
      [];
  if (unknown.length > 0) {
    throw new UsageError(
      `No such attack: ${unknown.join(", ")}; choose from ${
        attacks.join(", ")
      }`,
    );
  }
  return {
    minutes: minutes === undefined
      ? undefined
      : positiveNumber("minutes", minutes),
    only,
    short,
    slow: slow?.split(",").map(slowFloodOf),
    schemes: front !== undefined
      ? ["http"]
      : plain === tls
      ? ["http", "https"]
      : [plain ? "http" : "https"],
    memoryMib: positiveNumber("memory", memory ?? "256"),
    front,
    folder: gateway,
    save,
  };
}

/** A slow flood, such as `messages:300:25:15`, or `messages:300:25:15:0.5` of who comes back after half a second. */
function slowFloodOf(text: string): SlowFlood {
  const [name, ...numbers] = text.split(":");
  const kind = SLOW_KINDS.find((known) => known === name);
  if (kind === undefined) {
    throw new UsageError(`--slow knows ${SLOW_KINDS.join(", ")}`);
  }
  const [holders = "", rate = "", addresses = "", awaySec = "1"] = numbers;
  const number = (text: string) => positiveNumber("slow", text);
  return {
    kind,
    holders: number(holders),
    rate: number(rate),
    addresses: number(addresses),
    awaySec: number(awaySec),
  };
}

/**
 * Whether a name is the attack's, or that of its group.
 *
 * @example
 * isNamed("S1-pongs", "S1"); // true
 */
export function isNamed(attack: string, name: string): boolean {
  return attack === name || attack.startsWith(`${name}-`);
}
