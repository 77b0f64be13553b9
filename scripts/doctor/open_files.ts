/** Whether the gateway may have as many open files as its limits take. */
import type { Config } from "../../src/config/config.ts";
import { type Finding, findingsOf } from "./finding.ts";

const { ok, warning, skipped } = findingsOf("open files");

/** A connection to the client and one to the runner; with TLS also both ends of one within the process. */
const PER_EXCHANGE = 2;
const PER_EXCHANGE_WITH_TLS = 4;

/** Idle connections to runners, and what else there is: listeners, the reserve, the API, the cache. */
const IDLE_CONNECTIONS = 2048;
const OTHERS = 152;

/** Judges the limit of open files, undefined if it is not known. */
export function judgeOpenFiles(
  { limits, listen: { tls } }: Pick<Config, "limits" | "listen">,
  limit: number | undefined,
): Finding {
  if (limit === undefined) {
    return skipped("Only Linux tells how many open files there may be.");
  }
  const each = tls === undefined ? PER_EXCHANGE : PER_EXCHANGE_WITH_TLS;
  const { concurrentExchanges, tunnels } = limits;
  const needed = each * (concurrentExchanges + tunnels) + IDLE_CONNECTIONS +
    OTHERS;
  return limit >= needed
    ? ok(`${limit} are allowed here, and ${needed} suffice for every limit.`)
    : warning(
      `${limit} are allowed here, but MAX_CONCURRENT_EXCHANGES=${concurrentExchanges} and MAX_TUNNELS=${tunnels} may take ${needed}.`,
      `Where the gateway runs, allow as many (ulimit -n, LimitNOFILE=), or lower both: once they have run out, requests are refused.`,
    );
}

/**
 * The limit of this process, which the gateway shares in its container; undefined where it cannot be read. Of what is
 * below /proc, Deno lets a process with `--allow-read` read texts only as modules.
 */
export async function openFilesLimit(): Promise<number | undefined> {
  const path = "/proc/self/limits";
  try {
    const { default: limits } = await import(path, { with: { type: "text" } });
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
