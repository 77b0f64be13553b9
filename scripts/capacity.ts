// deno-lint-ignore-file no-console -- printing is its purpose
/** Evaluates the model of docs/capacity.md: `deno run scripts/capacity.ts --sandboxes 1000 --requests 500`. */
import { parseArgs } from "node:util";

/** What is to be served. */
export interface Demand {
  /** Sandboxes that are visited at least once in two minutes. */
  readonly sandboxes: number;
  /** Requests per second. */
  readonly requests: number;
  /** WebSockets that are open. */
  readonly tunnels: number;
  /** Mean length of a response, KiB. */
  readonly kib: number;
  /** The part of the sandboxes that is private, 0 to 1. */
  readonly isPrivate: number;
  /** True if the front sends each label to a gateway of its own. */
  readonly sharded: boolean;
}

/** What that takes. */
export interface Capacity {
  readonly cores: number;
  readonly gateways: number;
  readonly memoryMib: number;
  /** Answers of one kind that a gateway must keep: `CACHE_MAX_ENTRIES`. */
  readonly cacheEntries: number;
  readonly apiCallsPerSec: number;
  readonly tierOpsPerSec: number;
  readonly networkGbitPerSec: number;
}

/** How long an answer is cached by default, and a sandbox's use reported at most once, seconds. */
const TTL_SEC = 120;
const ACTIVITY_SEC = 45;
/** The part of a core that is used, so that bursts find room. */
const USED = 0.6;
const PRIVATE_FACTOR = 1.2;

/** Evaluates the model: each of its constants was measured (docs/capacity.md). */
export function capacityFor(demand: Demand): Capacity {
  const { sandboxes, requests, tunnels, kib, isPrivate, sharded } = demand;
  const micros = (38 + 0.6 * kib) * (1 + isPrivate * (PRIVATE_FACTOR - 1));
  const cores = requests * micros / 1e6 / USED;
  const gateways = Math.max(1, Math.ceil(cores));
  const questions = 3 + isPrivate;
  /** How many gateways see a sandbox within a time: as many as there are requests for it, at most all. */
  const seenWithin = (seconds: number) =>
    sharded
      ? 1
      : Math.max(1, Math.min(gateways, requests * seconds / sandboxes));
  const seenBy = seenWithin(TTL_SEC);
  const reports = seenWithin(ACTIVITY_SEC) / ACTIVITY_SEC;
  return {
    cores,
    gateways,
    memoryMib: gateways * 150 + tunnels * 70 / 1024,
    cacheEntries: Math.ceil(sandboxes * seenBy / gateways),
    apiCallsPerSec: sandboxes * (questions / TTL_SEC + reports),
    tierOpsPerSec: sandboxes * questions * (seenBy + 1) / TTL_SEC,
    networkGbitPerSec: 2 * requests * kib * 1024 * 8 / 1e9,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      sandboxes: { type: "string", default: "1000" },
      requests: { type: "string", default: "1000" },
      tunnels: { type: "string", default: "0" },
      kib: { type: "string", default: "16" },
      private: { type: "string", default: "0.5" },
      sharded: { type: "boolean", default: false },
    },
  });
  const capacity = capacityFor({
    sandboxes: Number(values.sandboxes),
    requests: Number(values.requests),
    tunnels: Number(values.tunnels),
    kib: Number(values.kib),
    isPrivate: Number(values.private),
    sharded: values.sharded,
  });
  for (const [name, value] of Object.entries(capacity)) {
    console.log(`${name.padEnd(20)}${Number(value.toPrecision(3))}`);
  }
}
