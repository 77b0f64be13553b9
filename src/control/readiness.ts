/** Answers `/ready` from what is known: a load balancer may ask every second, and the dependencies notice nothing. */
import type { OpenidProvider } from "../auth/oidc/provider.ts";
import type { DurableStore } from "../cache/store.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import type { KeyWatch } from "../daytona/service_key.ts";
import { sleep } from "../lib/backoff.ts";
import { isPending } from "../lib/cooldown.ts";
import { describeError } from "../lib/describe_error.ts";
import type { Logger } from "../observability/log.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { CheckState, Readiness } from "./routes/health.ts";

/** Dependencies of {@linkcode ReadinessChecks}. */
export interface ReadinessOptions {
  readonly api: Pick<DaytonaApi, "config" | "probeKey">;
  readonly serviceKey: Pick<
    KeyWatch,
    "verdict" | "wasAccepted" | "checkedWithin"
  >;
  readonly remoteSettings: Pick<RemoteSettings, "baseDomains">;
  readonly provider: Pick<OpenidProvider, "state" | "check">;
  /** The durable cache tier; null where there is none. */
  readonly store: Pick<DurableStore, "get"> | null;
  /** Aborted when the gateway closes: checks that fail because of that are not logged. */
  readonly closing: AbortSignal;
  readonly logger: Logger;
}

/** Least time between two questions to the API, ms. */
const API_CHECK_PAUSE_MS = 5000;

/** Least time between two questions about the key, ms: the API throttles whoever keeps coming with a wrong one. */
const KEY_CHECK_PAUSE_MS = 30_000;

/** Least time between two questions to the identity provider, which may be somebody else's service, ms. */
const PROVIDER_CHECK_PAUSE_MS = 30_000;

/** Time between two runs of all checks until they pass, ms. */
const START_CHECK_MS = 10_000;

/** The result of one check. */
interface CheckResult {
  readonly state: CheckState;
  /** Why it is failing. */
  readonly reason?: string;
}

const OK: CheckResult = { state: "ok" };
const OFF: CheckResult = { state: "off" };

function failing(reason: string): CheckResult {
  return { state: "failing", reason };
}

/** The checks of what the gateway depends on. The log says when one begins to fail, and when it no longer does. */
export class ReadinessChecks {
  readonly #options: ReadinessOptions;
  readonly #api: Probe;
  readonly #key: Probe;
  readonly #provider: Probe;
  /** The names of the checks that failed last time. */
  readonly #failing = new Set<string>();
  #isDraining = false;

  constructor(options: ReadinessOptions) {
    const { api, serviceKey, provider } = options;
    this.#options = options;
    this.#api = new Probe(() => api.config(), API_CHECK_PAUSE_MS);
    this.#key = new Probe(async () => {
      // Every call that needs the key answers the same question.
      if (!serviceKey.checkedWithin(KEY_CHECK_PAUSE_MS)) await api.probeKey();
    }, API_CHECK_PAUSE_MS);
    this.#provider = new Probe(
      () => provider.check(),
      PROVIDER_CHECK_PAUSE_MS,
    );
  }

  /** From now on, `/ready` answers that the gateway is going away. */
  startDraining(): void {
    this.#isDraining = true;
  }

  /** The answer of `/ready`. */
  async check(): Promise<Readiness> {
    const [api, key, cache, login] = await Promise.all([
      this.#api.check(),
      this.#checkKey(),
      this.#checkCache(),
      this.#checkLogin(),
    ]);
    const results = { api, key, cache, domains: this.#checkDomains(), login };
    const checks: Record<string, CheckState> = {};
    for (const [name, result] of Object.entries(results)) {
      this.#logChange(name, result);
      checks[name] = result.state;
    }
    const hasStarted = results.domains.state === "ok" &&
      this.#api.wasAnswered && this.#options.serviceKey.wasAccepted;
    const status = this.#isDraining
      ? "draining"
      : !hasStarted
      ? "starting"
      : this.#failing.size === 0
      ? "ready"
      : "degraded";
    return { status, checks };
  }

  /** Runs the checks until all of them pass or the gateway stops: the log has to say what is wrong if nobody asks. */
  async checkUntilReady(): Promise<void> {
    const { closing } = this.#options;
    while (!closing.aborted) {
      const { status } = await this.check();
      if (status === "ready" || status === "draining") return;
      await sleep(START_CHECK_MS, closing).catch(() => {});
    }
  }

  async #checkKey(): Promise<CheckResult> {
    const asked = await this.#key.check();
    switch (this.#options.serviceKey.verdict) {
      case "accepted":
        return OK;
      case undefined:
        return asked.state === "failing" ? asked : failing("not tried yet");
      default:
        return failing("the API refuses it");
    }
  }

  async #checkCache(): Promise<CheckResult> {
    const { store } = this.#options;
    if (store === null) return OFF;
    return await store.get(["ready"]) === "unavailable"
      ? failing("the database does not answer")
      : OK;
  }

  #checkDomains(): CheckResult {
    return this.#options.remoteSettings.baseDomains.length > 0
      ? OK
      : failing("the API has not told them yet");
  }

  async #checkLogin(): Promise<CheckResult> {
    switch (this.#options.provider.state) {
      case "off":
        return OFF;
      case "unknown":
        return failing("the API has not told the provider yet");
      case "on":
        return await this.#provider.check();
    }
  }

  #logChange(check: string, { state, reason }: CheckResult): void {
    const isFailing = state === "failing";
    if (isFailing === this.#failing.has(check)) return;
    const { closing, logger } = this.#options;
    if (isFailing) this.#failing.add(check);
    else this.#failing.delete(check);
    if (closing.aborted) return;
    if (isFailing) logger.warn(`not ready: ${check}`, { reason });
    else logger.info(`ready again: ${check}`);
  }
}

/** Asks a dependency now and then whether it answers. */
class Probe {
  readonly #ask: () => Promise<unknown>;
  readonly #pauseMs: number;
  #askedAt = -Infinity;
  #latest: CheckResult | undefined;
  #first: Promise<unknown> | undefined;
  /** True once there was an answer. */
  wasAnswered = false;

  /** `ask` rejects if there is no answer; it is called at most once every `pauseMs` ms. */
  constructor(ask: () => Promise<unknown>, pauseMs: number) {
    this.#ask = ask;
    this.#pauseMs = pauseMs;
  }

  /** The latest result, and meanwhile asks again if it is time to; only the very first answer is waited for. */
  async check(): Promise<CheckResult> {
    const pause = { now: Date.now(), withinMs: this.#pauseMs };
    if (!isPending(this.#askedAt + this.#pauseMs, pause)) {
      this.#askedAt = Date.now();
      const asked = this.#ask().then(() => {
        this.wasAnswered = true;
        this.#latest = OK;
      }, (error) => this.#latest = failing(describeError(error)));
      this.#first ??= asked;
    }
    if (this.#latest === undefined) await this.#first;
    return this.#latest ?? failing("no answer yet");
  }
}
