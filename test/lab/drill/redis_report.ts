/** What troubles of Redis have cost: in lines of text, in the table of README.md, and in a sentence of docs/reliability.md. */
import type { MachineDescription } from "../bench/machine.ts";
import { tableOn } from "../harness/results.ts";
import type { RedisTrouble } from "./redis_troubles.ts";

/** The kinds of visitors: of a public sandbox, of a private one by a login, of one that nobody has opened before. */
export type RedisKind = "public" | "login" | "cold";

/** What one kind of visitors saw: how many visits there were, and the outcomes other than 200. */
export interface RedisSeen {
  readonly kind: RedisKind;
  readonly count: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  readonly wrong: Readonly<Record<string, number>>;
}

/** How many there were, and of how many it held. */
type Kept = Readonly<Record<"all" | "kept", number>>;

/** What came of a trouble. */
export interface RedisResult extends Pick<RedisTrouble, "name" | "about"> {
  readonly seen: readonly RedisSeen[];
  /** Logins, and how many of them count at both gateways in the end. */
  readonly logins: Kept;
  /** Logouts, and how many of them hold at both. */
  readonly logouts: Kept;
  /** The time from its begin until `/ready` says that the database fails, s; null if it does not. */
  readonly noticedSec: number | null;
  /** The time from its end, or from its begin if the servers end it, until both gateways use it again, s. */
  readonly usedAgainSec: number | null;
}

/** True if no visit, login or logout was lost, and the gateways said that something was wrong until it no longer was. */
export function isHarmless(
  { seen, logins, logouts, noticedSec, usedAgainSec }: RedisResult,
): boolean {
  return logins.kept === logins.all && logouts.kept === logouts.all &&
    noticedSec !== null && usedAgainSec !== null &&
    seen.every(({ wrong }) => Object.keys(wrong).length === 0);
}

/** A result as lines of text. */
export function formatRedis(result: RedisResult): string {
  const { name, seen } = result;
  const [, logins, logouts, noticed, again] = cellsOf(result);
  return [
    `${name}: ${
      isHarmless(result) ? "ok" : "LOST"
    }; logins kept ${logins}, logouts ${logouts}; seen after ${noticed} s, used again after ${again} s`,
    ...seen.map((each) => `  ${each.kind}: ${lossOf(each)}; ${timesOf(each)}`),
  ].join("\n");
}

function lossOf({ count, wrong }: RedisSeen): string {
  const lost = Object.entries(wrong).map(([what, n]) => `${n} × ${what}`);
  return `${lost.join(", ") || "0"} of ${count}`;
}

function timesOf({ p99Ms, slowestMs }: RedisSeen): string {
  return `${Math.round(p99Ms)}, ${Math.round(slowestMs)} ms`;
}

function secondsOf(seconds: number | null): string {
  return seconds === null ? "–" : seconds.toFixed(1);
}

function cellsOf(
  { about, logins, logouts, noticedSec, usedAgainSec }: RedisResult,
) {
  return [
    about,
    `${logins.kept} of ${logins.all}`,
    `${logouts.kept} of ${logouts.all}`,
    secondsOf(noticedSec),
    secondsOf(usedAgainSec),
  ] as const;
}

/** Where results are stored and shown. */
export const SHOWN_REDIS = {
  file: new URL("./redis.jsonl", import.meta.url),
  page: new URL("./README.md", import.meta.url),
  region: "redis",
  textOf: redisText,
  summaryOf: redisSummary,
};

/** What all troubles came to. */
export function redisSummary(results: readonly RedisResult[]): string {
  const seen = results.flatMap((result) => result.seen);
  const harmless = results.filter(isHarmless).length;
  const slowest = Math.max(...seen.map(({ slowestMs }) => slowestMs));
  const again = results.map(({ usedAgainSec }) => usedAgainSec ?? Infinity);
  return `In ${harmless} of ${results.length} troubles no answer, login or logout was lost, and \`/ready\` said so meanwhile. The slowest answer took ${
    Math.round(slowest)
  } ms, and Redis was used again within ${Math.max(...again).toFixed(1)} s.`;
}

/** The text of the table's region. */
export function redisText(
  machine: MachineDescription,
  results: readonly RedisResult[],
): string {
  const kinds = results[0]?.seen.map(({ kind }) => kind) ?? [];
  const rows = results.map((result) => {
    const [about, ...rest] = cellsOf(result);
    const visits = result.seen.map((each) =>
      `${lossOf(each)}; ${timesOf(each)}`
    );
    return [about, ...visits, ...rest];
  });
  const head = [
    "Trouble",
    ...kinds.map((kind) => `${kind}: lost; p99, slowest`),
    "Logins kept",
    "Logouts kept",
    "`/ready` fails after, s",
    "Used again after, s",
  ];
  return tableOn(machine, [head, ...rows]);
}
