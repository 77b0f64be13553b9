/** Limits by which those who use one sandbox, client or runner leave nothing to anybody else. */
import type { Config } from "./config.ts";

/** What is odd about a limit, and what to do about it: sentences without full stops. */
type LimitWarning = Readonly<Record<"finding" | "advice", string>>;

/** Who can take how much of what, at most so many times. */
type Share = readonly [
  name: string,
  limit: number,
  times: number,
  who: string,
];

/** A warning for each such limit. */
export function limitWarnings(
  { limits }: Pick<Config, "limits">,
): LimitWarning[] {
  const { concurrentExchanges, exchangesPerSandbox, exchangesPerClient } =
    limits;
  const clients = exchangesPerClient >= concurrentExchanges ? 1 : 3;
  return [
    ...takersOf("MAX_CONCURRENT_EXCHANGES", concurrentExchanges, [
      ["MAX_EXCHANGES_PER_SANDBOX", exchangesPerSandbox, 1, "one sandbox"],
      [
        "MAX_EXCHANGES_PER_CLIENT",
        exchangesPerClient,
        clients,
        clients === 1 ? "one client" : "three clients",
      ],
      ["MAX_WAITING_PER_RUNNER", limits.waitingPerRunner, 1, "one runner"],
    ]),
    ...takersOf("MAX_TUNNELS", limits.tunnels, [
      [
        "MAX_EXCHANGES_PER_SANDBOX",
        exchangesPerSandbox,
        1,
        "the WebSockets of one sandbox",
      ],
      ["MAX_TUNNELS_PER_CLIENT", limits.tunnelsPerClient, 1, "one client"],
    ]),
  ];
}

function takersOf(
  all: string,
  total: number,
  shares: readonly Share[],
): LimitWarning[] {
  return shares.filter(([, limit, times]) => limit * times >= total)
    .map(([name, limit, , who]) => ({
      finding:
        `${name} is ${limit}, so ${who} can take all of ${all}, ${total}`,
      advice: all === "MAX_TUNNELS" && name === "MAX_EXCHANGES_PER_SANDBOX"
        ? `lower it, or raise ${all}`
        : "lower it, or leave it unset",
    }));
}
