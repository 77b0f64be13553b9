/** What `/ready` answers, from what is known; a balancer may ask every second without anybody else noticing. */
import type { KeyWatch } from "../daytona/service_key.ts";
import { describeError } from "../lib/describe_error.ts";
import { isPending } from "../lib/is_pending.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { Readiness } from "./routes/health.ts";

/** Parts of the readiness check. */
export interface ReadinessOptions {
  /** Resolves when the API answers, rejects when it does not. */
  readonly askApi: () => Promise<unknown>;
  /** What the API makes of the gateway's own key. */
  readonly serviceKey: Pick<
    KeyWatch,
    "verdict" | "wasAccepted" | "checkedWithin"
  >;
  /** Asks the API about the gateway's own key; rejects when it does not say. */
  readonly tryKey: () => Promise<unknown>;
  /** Resolves when the identity provider answers, rejects when it does not; called only if one is known. */
  readonly askProvider: () => Promise<unknown>;
  readonly installation: Pick<RemoteSettings, "baseDomains" | "oidc">;
  /** Whether the durable cache works; absent where there is none. */
  readonly cacheWorks?: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  /** Told when a check begins to fail, with the reason, and, without one, when it no longer does. */
  readonly onChange: (check: string, reason: string | undefined) => void;
  readonly now: () => number;
}

/** Least time between two questions to the API, ms. */
const API_CHECK_PAUSE_MS = 5000;

/** The same about the key: the API throttles whoever keeps coming with a wrong one. */
const KEY_CHECK_PAUSE_MS = 30_000;

/** The same for the provider, which may be somebody else's service. */
const PROVIDER_CHECK_PAUSE_MS = 30_000;

/** What came of one check. */
type CheckResult =
  | { readonly state: "ok" | "off" }
  | { readonly state: "failing"; readonly reason: string };

/** Something that is asked now and then whether it answers. */
interface Probe {
  /** What the last question said; only the very first one is waited for. */
  check(): Promise<CheckResult>;
  /** Whether it ever answered. */
  readonly wasSeen: boolean;
}

function createProbe(
  ask: () => Promise<unknown>,
  { pauseMs, now }: { pauseMs: number; now: () => number },
): Probe {
  let checkedAt = -Infinity;
  let latest: CheckResult | undefined;
  let first: Promise<unknown> | undefined;
  let wasSeen = false;
  return {
    async check() {
      const pause = { now: now(), withinMs: pauseMs };
      if (!isPending(checkedAt + pauseMs, pause)) {
        checkedAt = now();
        const asked = ask().then(() => {
          wasSeen = true;
          latest = OK;
        }, (error) => latest = failing(describeError(error)));
        first ??= asked;
      }
      if (latest === undefined) await first;
      return latest ?? failing("no answer yet");
    },
    get wasSeen() {
      return wasSeen;
    },
  };
}

const OK: CheckResult = { state: "ok" };
const OFF: CheckResult = { state: "off" };

function failing(reason: string): CheckResult {
  return { state: "failing", reason };
}

/** Creates the readiness check. */
export function createReadiness(
  options: ReadinessOptions,
): () => Promise<Readiness> {
  const { installation, serviceKey, now } = options;
  const api = createProbe(options.askApi, { pauseMs: API_CHECK_PAUSE_MS, now });
  const keyProbe = createProbe(async () => {
    // Every call that needs the key is an answer to the same question.
    if (!serviceKey.checkedWithin(KEY_CHECK_PAUSE_MS)) await options.tryKey();
  }, { pauseMs: API_CHECK_PAUSE_MS, now });
  const provider = createProbe(options.askProvider, {
    pauseMs: PROVIDER_CHECK_PAUSE_MS,
    now,
  });

  async function key(): Promise<CheckResult> {
    const asked = await keyProbe.check();
    switch (serviceKey.verdict) {
      case "accepted":
        return OK;
      case undefined:
        return asked.state === "failing" ? asked : failing("not tried yet");
      default:
        return failing("the API refuses it");
    }
  }

  function domains(): CheckResult {
    return installation.baseDomains().length > 0
      ? OK
      : failing("the API has not told them yet");
  }

  async function login(): Promise<CheckResult> {
    switch (installation.oidc().kind) {
      case "off":
        return OFF;
      case "unknown":
        return failing("the API has not told the provider yet");
      case "on":
        return await provider.check();
    }
  }

  async function cache(): Promise<CheckResult> {
    const works = await options.cacheWorks?.();
    if (works === undefined) return OFF;
    return works ? OK : failing("the database does not answer");
  }

  const failingChecks = new Set<string>();
  function note(check: string, result: CheckResult): void {
    if (result.state !== "failing") {
      if (failingChecks.delete(check)) options.onChange(check, undefined);
    } else if (!failingChecks.has(check)) {
      failingChecks.add(check);
      options.onChange(check, result.reason);
    }
  }

  return async function readiness() {
    const [apiResult, keyResult, cacheResult, loginResult] = await Promise.all([
      api.check(),
      key(),
      cache(),
      login(),
    ]);
    const results = {
      api: apiResult,
      key: keyResult,
      cache: cacheResult,
      domains: domains(),
      login: loginResult,
    };
    for (const [check, result] of Object.entries(results)) note(check, result);
    const checks = Object.fromEntries(
      Object.entries(results).map(([check, { state }]) => [check, state]),
    );
    if (options.isDraining()) return { status: "draining", checks };
    const hasStarted = results.domains.state === "ok" && api.wasSeen &&
      serviceKey.wasAccepted;
    if (!hasStarted) return { status: "starting", checks };
    const isWhole = failingChecks.size === 0;
    return { status: isWhole ? "ready" : "degraded", checks };
  };
}
