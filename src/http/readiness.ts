/** What `/ready` answers, from what is known; a balancer may ask every second without the API noticing. */
import type { Installation } from "../directory/installation.ts";
import type { CheckState, Readiness } from "./routes/health.ts";

/** Parts of the readiness check. */
export interface ReadinessOptions {
  /** Resolves when the API answers, rejects when it does not. */
  readonly askApi: () => Promise<unknown>;
  readonly installation: Pick<Installation, "baseDomains" | "oidc">;
  /** Whether the durable cache works; absent where there is none. */
  readonly cacheWorks?: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  readonly now: () => number;
}

/** Least time between two questions to the API, ms. */
const API_CHECK_PAUSE_MS = 5000;

/** Creates the readiness check. */
export function createReadiness(
  options: ReadinessOptions,
): () => Promise<Readiness> {
  const { now } = options;
  let checkedAt = -Infinity;
  let known: boolean | undefined;
  let apiWasSeen = false;

  /** What the last question said; only the very first one is waited for. */
  async function isApiUp(): Promise<boolean> {
    if (now() - checkedAt >= API_CHECK_PAUSE_MS) {
      checkedAt = now();
      const check = options.askApi().then(
        () => apiWasSeen = known = true,
        () => known = false,
      );
      if (known === undefined) await check;
    }
    return known ?? false;
  }

  function state(isUp: boolean): CheckState {
    return isUp ? "ok" : "failing";
  }

  return async function readiness() {
    const [api, cache] = await Promise.all([
      isApiUp(),
      options.cacheWorks?.(),
    ]);
    const hasDomains = options.installation.baseDomains().length > 0;
    const oidc = options.installation.oidc();
    const checks = {
      api: state(api),
      cache: cache === undefined ? "off" : state(cache),
      domains: state(hasDomains),
      login: oidc === null ? "off" : state(oidc !== undefined),
    } as const;
    if (options.isDraining()) return { status: "draining", checks };
    if (!hasDomains || !apiWasSeen) return { status: "starting", checks };
    return {
      status: api && cache !== false ? "ready" : "degraded",
      checks,
    };
  };
}
