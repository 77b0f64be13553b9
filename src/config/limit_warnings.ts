/** Limits by which those who use one sandbox, client or runner leave nothing to anybody else. */
import type { Config } from "./config.ts";

/** A sentence for each such limit. */
export function limitWarnings({ limits }: Pick<Config, "limits">): string[] {
  const { concurrentExchanges: total, exchangesPerClient } = limits;
  const clients = exchangesPerClient >= total ? 1 : 3;
  const all = [
    ["MAX_EXCHANGES_PER_SANDBOX", limits.exchangesPerSandbox, 1, "one sandbox"],
    [
      "MAX_EXCHANGES_PER_CLIENT",
      exchangesPerClient,
      clients,
      clients === 1 ? "one client" : "three clients",
    ],
    ["MAX_WAITING_PER_RUNNER", limits.waitingPerRunner, 1, "one runner"],
  ] as const;
  return all.filter(([, limit, times]) => limit * times >= total)
    .map(([name, limit, , who]) =>
      `${name} is ${limit}, so ${who} can take all of MAX_CONCURRENT_EXCHANGES, ${total}`
    );
}
