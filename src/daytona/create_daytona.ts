/** Creates the client of Daytona's API, and what watches how the API takes the gateway's own key. */
import type { Config } from "../config/config.ts";
import type { Background } from "../lib/background.ts";
import { loggerFor } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import { DaytonaApi, type DaytonaApiOptions } from "./api.ts";
import { RoleWatch } from "./proxy_role.ts";
import { ApiQuota } from "./quota.ts";
import { KeyWatch } from "./service_key.ts";

interface DaytonaParts
  extends Pick<DaytonaApiOptions, "fetch" | "secretFetch"> {
  readonly metrics: Pick<Metrics, "apiCall">;
  readonly now: () => number;
  readonly closing: AbortSignal;
}

/** The API, the role of the gateway's key there, its verdicts, and the quota that is left if the key has one. */
// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function createDaytona(
  config: Config["daytona"],
  { metrics, now, closing, ...parts }: DaytonaParts,
) {
  const logger = loggerFor("api");
  const serviceKey = watchServiceKey(config, now);
  let isWarned = false;
  // The key of Daytona's own proxy is nobody's but ours.
  const quota = config.mode === "hosted" ? new ApiQuota(now) : undefined;
  const api = new DaytonaApi(config, {
    ...parts,
    closing,
    ...quota && { quota },
    onCall: (facts) => metrics.apiCall(facts),
    onKeyVerdict: (verdict) => serviceKey.record(verdict),
    onOwnersUnknown() {
      if (!isWarned) logger.warn(OWNERS_UNKNOWN);
      isWarned = true;
    },
    onRunnerRegion: (region) => role.sawRunnerIn(region),
  });
  const role = new RoleWatch(() => api.probeRole(), (region) => {
    const message = "the API knows this gateway as the proxy of a region";
    logger.info(message, { region });
  });
  /** Asks early what the API tells of keys: who does not know it yet would ask while a visitor waits. */
  function probe(background: Background): void {
    // If it fails, the first bearer of a user will show the same.
    background.add("probe owners", api.probeOwners().catch(() => {}));
    if (config.mode === "proxy") background.add("probe role", role.role());
  }
  return { api, role, serviceKey, quota, probe };
}

const OWNERS_UNKNOWN =
  "the API cannot tell users from machines (GET /api-keys/current is 404): any runner's key opens every sandbox; update Daytona";

/** What the log says of the gateway's own key. */
const OWN_KEYS = {
  proxy: {
    name: "PROXY_API_KEY",
    wanted: "the value that the API has under the same name",
    otherRole: "its proxy's",
  },
  hosted: {
    name: "DAYTONA_API_KEY",
    wanted: "an API key of your organization, which the dashboard makes",
    otherRole: "an organization's",
  },
} as const;

/** Logs when the API begins to refuse the gateway's own key. */
function watchServiceKey({ mode }: Config["daytona"], now: () => number) {
  const logger = loggerFor("api");
  const { name, wanted, otherRole } = OWN_KEYS[mode];
  return new KeyWatch(now, (verdict) => {
    if (verdict === "accepted") {
      return logger.info(`the API accepts ${name} now`);
    }
    const reason = verdict === "unknown"
      ? "the API does not know the key (401)"
      : `the API knows the key, but not as ${otherRole} (403)`;
    const message = `the API does not accept ${name}: it must be ${wanted}`;
    logger.error(message, { reason });
  });
}
