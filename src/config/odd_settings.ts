/** Settings that are valid and have a consequence that nobody can want: said at the start, and by doctor. */
import { CLIENT_SHARE } from "../stream/byte_budget.ts";
import type { Config } from "./config.ts";
import { limitWarnings } from "./limit_warnings.ts";

/** A setting that is odd. */
interface OddSetting {
  /** What it is, and what follows from that; a sentence without its full stop. */
  readonly finding: string;
  /** What to do about it; the same. */
  readonly advice: string;
}

type Facts = Pick<Config, "limits" | "listen" | "daytona">;

/** All that is odd. */
export function oddSettings(config: Facts): OddSetting[] {
  return [
    ...limitWarnings(config),
    trustsEverybody(config),
    stopsLate(config),
    messageTooLong(config),
    countsNobody(config),
  ].filter((each) => each !== undefined);
}

/** Everybody as a trusted proxy: what each client says of its own address is believed. */
export function trustsEverybody(
  { listen: { trustedProxies } }: Pick<Facts, "listen">,
): OddSetting | undefined {
  const everybody = trustedProxies.find((range) => /\/0+$/.test(range));
  return everybody === undefined ? undefined : {
    finding:
      `TRUSTED_PROXIES contains ${everybody}, so any client can claim any address`,
    advice: "list only the addresses of your load balancers",
  };
}

/** Not refused, as the delay has a default, and after SIGINT there is none. */
function stopsLate({ limits }: Facts): OddSetting | undefined {
  const delay = limits.shutdownDelayMs / 1000;
  const timeout = limits.shutdownTimeoutMs / 1000;
  return delay <= timeout ? undefined : {
    finding:
      `SHUTDOWN_DELAY_SEC is ${delay}, more than SHUTDOWN_TIMEOUT_SEC, ${timeout}, so a stop by SIGTERM takes ${delay} s, and then ends at once whatever is under way`,
    advice: "make the timeout longer than the delay",
  };
}

/** A message that is longer than the whole budget stops the start: config.ts. */
function messageTooLong({ limits }: Facts): OddSetting | undefined {
  const { messageBytes, bufferBudgetBytes } = limits;
  const most = CLIENT_SHARE * bufferBudgetBytes;
  return messageBytes <= most ? undefined : {
    finding:
      `MAX_MESSAGE_BYTES is ${messageBytes}, more than the three quarters of BUFFER_BUDGET_BYTES, ${bufferBudgetBytes}, that one client may hold, so longer messages than these end their WebSockets`,
    advice: `raise the budget, or lower the former to ${Math.floor(most)}`,
  };
}

function countsNobody({ limits, daytona }: Facts): OddSetting | undefined {
  const isIdle = daytona.mode === "hosted" &&
    limits.exchangesPerOrganization !== undefined;
  return isIdle
    ? {
      finding:
        "MAX_EXCHANGES_PER_ORGANIZATION has no effect with DAYTONA_API_KEY, so no organization has a limit",
      advice: "unset it",
    }
    : undefined;
}
