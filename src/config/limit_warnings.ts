/** Limits by which those who use a few sandboxes, clients or runners leave too little to everybody else. */
import type { Config } from "./config.ts";
import { LEFT_TO_OTHERS } from "./shares.ts";

/** What is odd about a limit, and what to do about it: sentences without full stops. */
type LimitWarning = Readonly<Record<"finding" | "advice", string>>;

/** Which of a limit one and three of them can take. */
type Share = readonly [name: string, limit: number, one: string, three: string];

/** A warning for each such limit. */
export function limitWarnings(
  { limits }: Pick<Config, "limits">,
): LimitWarning[] {
  const sandbox = "MAX_EXCHANGES_PER_SANDBOX";
  const clients = ["one client", "three clients"] as const;
  const runners = ["one runner", "three runners"] as const;
  const socketsOf = "the WebSockets of";
  return [
    ...takersOf("MAX_CONCURRENT_EXCHANGES", limits.concurrentExchanges, [
      [sandbox, limits.exchangesPerSandbox, "one sandbox", "three sandboxes"],
      ["MAX_EXCHANGES_PER_CLIENT", limits.exchangesPerClient, ...clients],
      ["MAX_WAITING_PER_RUNNER", limits.waitingPerRunner, ...runners],
    ]),
    ...takersOf("MAX_TUNNELS", limits.tunnels, [
      [
        sandbox,
        limits.tunnelsPerSandbox,
        `${socketsOf} one sandbox`,
        `${socketsOf} three sandboxes`,
      ],
      ["MAX_TUNNELS_PER_CLIENT", limits.tunnelsPerClient, ...clients],
    ]),
  ];
}

function takersOf(
  all: string,
  total: number,
  shares: readonly Share[],
): LimitWarning[] {
  const left = (limit: number) => Math.max(0, total - 3 * limit);
  return shares.filter(([, limit]) => left(limit) < LEFT_TO_OTHERS * total)
    .map(([name, limit, one, three]) => {
      const who = limit >= total ? one : three;
      const take = left(limit) === 0
        ? "can take all"
        : `leave only ${left(limit)}`;
      return {
        finding: `${name} is ${limit}, so ${who} ${take} of ${all}, ${total}`,
        advice: all === "MAX_TUNNELS" && name === "MAX_EXCHANGES_PER_SANDBOX"
          ? `lower it, or raise ${all}`
          : "lower it, or leave it unset",
      };
    });
}
