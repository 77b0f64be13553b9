/** Answers `/ready` from what has been known for a while: a load balancer may ask every second. */
import { CHECKED_WITHIN_MS } from "../auth/oidc/discovery.ts";
import type { OpenidProvider } from "../auth/oidc/provider.ts";
import { type DurableStore, entryUntil } from "../cache/store.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import type { KeyWatch } from "../daytona/service_key.ts";
import { sleep } from "../lib/backoff.ts";
import { isPending } from "../lib/cooldown.ts";
import { describeError } from "../lib/describe_error.ts";
import { areDescriptorsShort } from "../lib/descriptors.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { Logger } from "../observability/log.ts";
import type { Records } from "../records/records.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { CheckState, Readiness } from "./routes/health.ts";

interface ReadinessOptions {
  readonly api: Pick<DaytonaApi, "config" | "probeKey">;
  readonly serviceKey: Pick<
    KeyWatch,
    "verdict" | "wasAccepted" | "checkedWithin"
  >;
  readonly remoteSettings: Pick<RemoteSettings, "baseDomains">;
  readonly provider: Pick<OpenidProvider, "state" | "check">;
  /** The durable cache tier; null where there is none. */
  readonly store: Pick<DurableStore, "get" | "claim"> | null;
  /** Null if no feature needs them. */
  readonly records: Pick<Records, "doubts"> | null;
  /** Aborted when the gateway closes: checks that fail because of that are not logged. */
  readonly closing: AbortSignal;
  readonly logger: Logger;
}

/** Oldest answer that `/ready` tells, ms: a dependency that was asked longer ago is asked again first. */
const MAX_AGE_MS = 30_000;

/** Longest wait of `/ready` for an answer, ms: whoever asks it soon takes no answer for a failed gateway. */
const ANSWER_WITHIN_MS = 2_000;

/** Least time between two questions to the API, ms. */
const API_CHECK_PAUSE_MS = 5_000;

/** Least time between two writes to the database, ms, and how long it keeps one. */
const WRITE_PAUSE_MS = 5_000;

/** Age from which a verdict on the key is asked for, ms: the API throttles whoever keeps coming with a wrong one. */
const KEY_RENEWAL_MS = 25_000;

/** Least time between two questions to the identity provider, which may be somebody else's service, ms. */
const PROVIDER_CHECK_PAUSE_MS = 20_000;

/** Time between two runs of all checks until they pass, ms. */
const START_CHECK_MS = 10_000;

interface CheckResult {
  readonly state: CheckState;
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
  readonly #write: Probe;
  /** The names of the checks that failed last time. */
  readonly #failing = new Set<string>();
  #isDraining = false;
  /** What the checks have told last; empty before that. */
  latest: Readonly<Record<string, CheckState>> = {};

  constructor(options: ReadinessOptions) {
    const { api, provider, store } = options;
    this.#options = options;
    this.#api = new Probe(() => api.config(), API_CHECK_PAUSE_MS);
    this.#key = new Probe(() => api.probeKey(), API_CHECK_PAUSE_MS);
    this.#provider = new Probe(
      () => provider.check(),
      PROVIDER_CHECK_PAUSE_MS,
      MAX_AGE_MS - CHECKED_WITHIN_MS,
    );
    this.#write = new Probe(async () => {
      const entry = entryUntil(Date.now() + WRITE_PAUSE_MS, true);
      // Of a Cluster, a part may fail: then several keys show that it no longer does.
      const length = this.#failing.has("cache") ? 16 : 1;
      const claims = await Promise.all(Array.from({ length }, () => (
        store?.claim(["ready", crypto.randomUUID()], entry)
      )));
      if (claims.includes("unavailable")) throw new Error("it takes no writes");
    }, WRITE_PAUSE_MS);
  }

  /** From now on, `/ready` answers that the gateway is going away. */
  startDraining(): void {
    this.#isDraining = true;
  }

  /** The answer of `/ready`, which waits up to `withinMs` ms for each dependency that must be asked. */
  async check(withinMs = ANSWER_WITHIN_MS): Promise<Readiness> {
    const [api, key, cache, records, login] = await Promise.all([
      this.#api.check(withinMs),
      this.#checkKey(withinMs),
      this.#checkCache(withinMs),
      this.#checkRecords(),
      this.#checkLogin(withinMs),
    ]);
    const domains = this.#options.remoteSettings.baseDomains.length > 0
      ? OK
      : failing("the API has not told them yet");
    const results = { api, key, cache, records, domains, login };
    const checks: Record<string, CheckState> = {};
    for (const [name, result] of Object.entries(results)) {
      this.#logChange(name, result);
      checks[name] = result.state;
    }
    this.latest = checks;
    const hasStarted = domains === OK && this.#api.wasAnswered &&
      this.#options.serviceKey.wasAccepted;
    if (this.#isDraining) return { status: "draining", checks };
    if (!hasStarted) return { status: "starting", checks };
    // Another gateway may have some: here, everything new is refused.
    if (areDescriptorsShort()) return { status: "overloaded", checks };
    return { status: this.#failing.size === 0 ? "ready" : "degraded", checks };
  }

  /** Runs the checks until all of them pass or the gateway stops: the log has to say what is wrong if nobody asks. */
  async checkUntilReady(): Promise<void> {
    const { closing } = this.#options;
    while (!closing.aborted) {
      // Nobody waits for these answers: the first may take long.
      const { status } = await this.check(START_CHECK_MS);
      if (status === "ready" || status === "draining") return;
      await sleep(START_CHECK_MS, closing).catch(() => {});
    }
  }

  async #checkKey(withinMs: number): Promise<CheckResult> {
    const { serviceKey } = this.#options;
    // Every call that needs the key answers the same question.
    if (!serviceKey.checkedWithin(KEY_RENEWAL_MS)) {
      const asked = this.#key.check(withinMs);
      const isKnown = () => serviceKey.checkedWithin(MAX_AGE_MS);
      if (!isKnown()) {
        const { state, reason = "not tried yet" } = await asked;
        if (state === "failing" && !isKnown()) return failing(reason);
      }
    }
    return serviceKey.verdict === "accepted"
      ? OK
      : failing("the API refuses it");
  }

  async #checkCache(withinMs: number): Promise<CheckResult> {
    const { store } = this.#options;
    if (store === null) return OFF;
    // A database that is full or a replica may still be read.
    const written = this.#write.check(withinMs);
    return await store.get(["ready"]) === "unavailable"
      ? failing("the database does not answer")
      : await written;
  }

  async #checkRecords(): Promise<CheckResult> {
    const { records } = this.#options;
    if (records === null) return OFF;
    try {
      const doubts = await records.doubts();
      return doubts.length === 0 ? OK : failing(doubts.join("; "));
    } catch (error) {
      return failing(describeError(error));
    }
  }

  async #checkLogin(withinMs: number): Promise<CheckResult> {
    const { state } = this.#options.provider;
    if (state === "off") return OFF;
    return state === "on"
      ? await this.#provider.check(withinMs)
      : failing("the API has not told the provider yet");
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
  readonly #maxAgeMs: number;
  #askedAt = -Infinity;
  /** The question under way, which never rejects. */
  #probing: Promise<void> | undefined;
  #latest = { result: failing("not asked yet"), askedAt: -Infinity };
  /** True once there was an answer. */
  wasAnswered = false;

  /** `ask` is called at most once every `pauseMs` ms, which are less than `maxAgeMs`, the greatest age of a result. */
  constructor(
    ask: () => Promise<unknown>,
    pauseMs: number,
    maxAgeMs = MAX_AGE_MS,
  ) {
    this.#ask = ask;
    this.#pauseMs = pauseMs;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The latest result, and meanwhile asks again if it is time to. One that is too old is waited for, up to `withinMs`. */
  async check(withinMs: number): Promise<CheckResult> {
    if (!isWithin(this.#askedAt, this.#pauseMs)) {
      this.#probing ??= this.#settle();
    }
    if (!this.#isFresh && this.#probing !== undefined) {
      await fulfilsWithin(this.#probing, withinMs);
    }
    return this.#isFresh
      ? this.#latest.result
      : failing(`no answer within ${withinMs / 1000} s`);
  }

  get #isFresh(): boolean {
    return isWithin(this.#latest.askedAt, this.#maxAgeMs);
  }

  async #settle(): Promise<void> {
    const askedAt = Date.now();
    this.#askedAt = askedAt;
    let result = OK;
    try {
      await this.#ask();
      this.wasAnswered = true;
    } catch (error) {
      result = failing(describeError(error));
    }
    this.#latest = { result, askedAt };
    this.#probing = undefined;
  }
}

/** True if `at` is less than `ms` ms ago. */
function isWithin(at: number, ms: number): boolean {
  return isPending(at + ms, { now: Date.now(), withinMs: ms });
}
