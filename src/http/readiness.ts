/** What `/ready` answers, from what is known; a balancer may ask every second without anybody else noticing. */
import type { Installation } from "../directory/installation.ts";
import { isUpcoming } from "../lib/upcoming.ts";
import type { CheckState, Readiness } from "./routes/health.ts";

/** Parts of the readiness check. */
export interface ReadinessOptions {
  /** Resolves when the API answers, rejects when it does not. */
  readonly askApi: () => Promise<unknown>;
  /** The same for the identity provider; asked only where one is known. */
  readonly askProvider: () => Promise<unknown>;
  readonly installation: Pick<Installation, "baseDomains" | "oidc">;
  /** Whether the durable cache works; absent where there is none. */
  readonly cacheWorks?: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  readonly now: () => number;
}

/** Least time between two questions to the API, ms. */
const API_CHECK_PAUSE_MS = 5000;

/** The same for the provider, which may be somebody else's service. */
const PROVIDER_CHECK_PAUSE_MS = 30_000;

/** Something that is asked now and then whether it answers. */
interface Probe {
  /** What the last question said; only the very first one is waited for. */
  isUp(): Promise<boolean>;
  /** Whether it ever answered. */
  readonly wasSeen: boolean;
}

function createProbe(
  ask: () => Promise<unknown>,
  { pauseMs, now }: { pauseMs: number; now: () => number },
): Probe {
  let checkedAt = -Infinity;
  let known: boolean | undefined;
  let wasSeen = false;
  return {
    async isUp() {
      const pause = { now: now(), withinMs: pauseMs };
      if (!isUpcoming(checkedAt + pauseMs, pause)) {
        checkedAt = now();
        const check = ask().then(
          () => wasSeen = known = true,
          () => known = false,
        );
        if (known === undefined) await check;
      }
      return known ?? false;
    },
    get wasSeen() {
      return wasSeen;
    },
  };
}

function state(isUp: boolean): CheckState {
  return isUp ? "ok" : "failing";
}

/** Creates the readiness check. */
export function createReadiness(
  options: ReadinessOptions,
): () => Promise<Readiness> {
  const { installation, now } = options;
  const api = createProbe(options.askApi, { pauseMs: API_CHECK_PAUSE_MS, now });
  const provider = createProbe(options.askProvider, {
    pauseMs: PROVIDER_CHECK_PAUSE_MS,
    now,
  });

  async function login(): Promise<CheckState> {
    const { kind } = installation.oidc();
    if (kind === "off") return "off";
    return state(kind === "on" && await provider.isUp());
  }

  async function cache(): Promise<CheckState> {
    const works = await options.cacheWorks?.();
    return works === undefined ? "off" : state(works);
  }

  return async function readiness() {
    const [isApiUp, cacheState, loginState] = await Promise.all([
      api.isUp(),
      cache(),
      login(),
    ]);
    const hasDomains = installation.baseDomains().length > 0;
    const checks = {
      api: state(isApiUp),
      cache: cacheState,
      domains: state(hasDomains),
      login: loginState,
    };
    if (options.isDraining()) return { status: "draining", checks };
    if (!hasDomains || !api.wasSeen) return { status: "starting", checks };
    const isWhole = !Object.values(checks).includes("failing");
    return { status: isWhole ? "ready" : "degraded", checks };
  };
}
