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
  /** `RUNNER_TTL_SEC` and `TOKEN_TTL_SEC`; by default, their default. */
  readonly ttlSec?: number;
  /** `PUBLIC_TTL_SEC`; by default, `ttlSec`, as with the API's own Redis. */
  readonly publicTtlSec?: number;
  /** The gateways there are; by default, as many as it takes. */
  readonly gateways?: number;
  /** The processor time of a warm GET of 1 KiB; by default, as it was measured. */
  readonly micros?: number;
}

/** What that takes. */
export interface Capacity {
  readonly cores: number;
  /** Of these, what is busy on average. */
  readonly busyCores: number;
  readonly gateways: number;
  readonly memoryMib: number;
  /** Answers of one kind that a gateway must keep: `CACHE_MAX_ENTRIES`. */
  readonly cacheEntries: number;
  readonly apiCallsPerSec: number;
  readonly tierOpsPerSec: number;
  readonly networkGbitPerSec: number;
}

const TTL_SEC = 120;
/** "Not public" is believed for so long at most. */
const NOT_PUBLIC_SEC = 30;
/** The part of its TTL after which the next request renews an answer. */
const RENEWED_AFTER = 0.75;
/** After so long, a gateway compares what it remembers with a shared Redis, seconds. */
const RECHECK_SEC = 5;
/** The use of a sandbox is reported once within, seconds. */
const REPORT_SEC = 45;
/** The part of a core that is used, so that bursts find room. */
const USED = 0.6;

const GET_MICROS = 38;
const MICROS_PER_KIB = 0.6;
const PRIVATE_FACTOR = 1.2;
const API_CALL_MICROS = 200;
const TIER_OP_MICROS = 100;
const PROCESS_MIB = 220;
const TUNNEL_KIB = 70;

/** Evaluates the model: each of its constants was measured (docs/capacity.md). */
export function capacityFor(demand: Demand): Capacity {
  if (demand.gateways !== undefined) return capacityOf(demand, demand.gateways);
  // Each gateway asks Redis for itself, so more of them have more to do.
  for (let gateways = 1;;) {
    const capacity = capacityOf(demand, gateways);
    const needed = Math.ceil(capacity.cores);
    if (needed <= gateways) return capacity;
    gateways = needed;
  }
}

function capacityOf(demand: Demand, gateways: number): Capacity {
  const { sandboxes, requests, tunnels, kib, isPrivate, sharded } = demand;
  const { ttlSec = TTL_SEC, micros = GET_MICROS } = demand;
  const { publicTtlSec = ttlSec } = demand;
  const isPublic = 1 - isPrivate;
  /** The gateways that see a sandbox, and the mean time until its next request, at any of them and at one. */
  const seenBy = sharded ? 1 : gateways;
  const waitSec = sandboxes / requests;
  const waitAtOne = waitSec * seenBy;

  const renewed = (ttlSec: number) => 1 / (RENEWED_AFTER * ttlSec + waitSec);
  const publics = isPublic * renewed(publicTtlSec);
  const privates = isPrivate *
    (renewed(ttlSec) + renewed(Math.min(ttlSec, NOT_PUBLIC_SEC)));
  const reports = 1 / (REPORT_SEC + waitSec);
  // A sandbox's runner and its labels are two questions, and one entry.
  const apiCalls = 2 * renewed(ttlSec) + publics + privates + reports;
  // "Public" is read once more when it is renewed: somebody may have deleted it.
  const tierWrites = renewed(ttlSec) + 2 * publics + privates + reports;
  const tierReads = (2 + isPrivate) * seenBy / (RECHECK_SEC + waitAtOne) +
    seenBy / (REPORT_SEC + waitAtOne);

  const apiCallsPerSec = sandboxes * apiCalls;
  const tierOpsPerSec = sandboxes * (tierReads + tierWrites);
  const getMicros = (micros + MICROS_PER_KIB * kib) *
    (1 + isPrivate * (PRIVATE_FACTOR - 1));
  const busyCores = (requests * getMicros + apiCallsPerSec * API_CALL_MICROS +
    tierOpsPerSec * TIER_OP_MICROS) / 1e6;
  return {
    cores: busyCores / USED,
    busyCores,
    gateways,
    memoryMib: gateways * PROCESS_MIB + tunnels * TUNNEL_KIB / 1024,
    cacheEntries: Math.ceil(
      sandboxes * Math.min(seenBy, Math.max(1, ttlSec / waitSec)) / gateways,
    ),
    apiCallsPerSec,
    tierOpsPerSec,
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
      ttl: { type: "string", default: `${TTL_SEC}` },
      "public-ttl": { type: "string" },
      gateways: { type: "string" },
      micros: { type: "string", default: `${GET_MICROS}` },
    },
  });
  const { "public-ttl": publicTtl = values.ttl, gateways } = values;
  const capacity = capacityFor({
    sandboxes: Number(values.sandboxes),
    requests: Number(values.requests),
    tunnels: Number(values.tunnels),
    kib: Number(values.kib),
    isPrivate: Number(values.private),
    sharded: values.sharded,
    ttlSec: Number(values.ttl),
    publicTtlSec: Number(publicTtl),
    micros: Number(values.micros),
    ...gateways !== undefined && { gateways: Number(gateways) },
  });
  for (const [name, value] of Object.entries(capacity)) {
    console.log(`${name.padEnd(20)}${Number(value.toPrecision(3))}`);
  }
}
