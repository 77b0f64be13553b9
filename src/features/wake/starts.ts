/**
 * Starts sandboxes: each only once at a time, and only so often in an hour, at all gateways that share a durable tier
 * together. Who may start which is not decided here.
 */
import { Locks, type LocksOptions } from "../../cache/locks.ts";
import { SingleFlight } from "../../cache/single_flight.ts";
import type {
  DaytonaApi,
  StartAnswer,
  StartCredential,
} from "../../daytona/api.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { digestKey } from "../../lib/digest.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { ExpiringLru, Lru } from "../../lib/lru.ts";
import type { SandboxChanges } from "../../resolver/sandbox_changes.ts";
import type { facts } from "./facts.ts";

/** Longest wait for the API's answer, ms: a refusal comes at once, and a start is watched by its state. */
const WAIT_MS = 2000;

/** How long a start keeps others from beginning, ms: longer than the API may take to answer. */
const CLAIM_MS = 45_000;

/** How long a start by somebody else counts before the sandbox's state shows it, ms. */
const BEGUN_MS = 10_000;

/** Time after a start in which no visit starts the sandbox again, ms: its page would, as often as it stops at once. */
const VISIT_PAUSE_MS = 5 * 60_000;

const HOUR_MS = 3_600_000;

type Labels = typeof facts.metrics.starts.labels;

/** What had admitted a visitor who has a sandbox started. */
export type StarterKind = Labels["by"][number];

type StartEnd = Labels["outcome"][number];

/** How a sandbox comes to run, by a call of Daytona's API: `recover` is for one in an error. */
export type StartOperation = "start" | "recover";

/** What a visitor did to have a sandbox started: pressed the button, opened it, or called as a program. */
export type StartTrigger = "press" | "visit" | "call";

export interface WantedStart {
  readonly sandboxId: string;
  /** Whose it is: the API limits how often an organization starts sandboxes. */
  readonly organizationId: string | null;
  readonly means: StartOperation;
  readonly credential: StartCredential;
  /** Whose starts of the hour it counts among: a key that names one visitor or client. */
  readonly quotaKey: string;
  readonly requestId: string;
  readonly intent: StartTrigger;
  /** By what the visitor was admitted, and what the log calls them. */
  readonly by: StarterKind;
  readonly subject: string | undefined;
}

type Answer = Exclude<StartAnswer, { kind: "throttled" }>;

/** What has come of it; `too_soon` if a visit does not start the sandbox again. */
type StartOutcome = Answer | { readonly kind: "too_soon" };

interface SandboxStartsOptions
  extends LocksOptions, Pick<FeatureParts, "background"> {
  readonly api: Pick<DaytonaApi, "startSandbox" | "recoverSandbox">;
  readonly changes: Pick<SandboxChanges, "announce">;
  /** Most starts of one sandbox, and by one quota key. */
  readonly perHour: number;
  /** Called at the end of each start, whatever came of it; `reason` is why it was refused, in the API's words. */
  readonly onEnd: (
    start: WantedStart,
    end: { readonly outcome: StartEnd; readonly reason?: string | undefined },
  ) => void;
}

export class SandboxStarts {
  readonly #options: SandboxStartsOptions;
  readonly #locks: Locks;
  /** By sandbox id. */
  readonly #runs = new SingleFlight<StartOutcome>();
  /** By sandbox id: starts under way, as far as this process knows. */
  readonly #begun: ExpiringLru<string, true>;
  /** By organization: until when the API takes no more starts, ms since the epoch. */
  readonly #pausedUntil: Lru<string, number>;

  constructor(options: SandboxStartsOptions) {
    this.#options = options;
    const { maxEntries: max, now } = options;
    this.#locks = new Locks("sandbox-start", options);
    this.#begun = new ExpiringLru({ max, ttlMs: CLAIM_MS, now });
    this.#pausedUntil = new Lru({ max });
  }

  /** True if somebody has begun to start the sandbox a moment ago, which its state need not show yet. */
  isUnderWay(sandboxId: string): boolean {
    return this.#begun.has(sandboxId);
  }

  /**
   * Has the API start a sandbox, unless that is under way, as it is after 2 s without an answer, whoever leaves meanwhile.
   * Who comes while it is started for another visitor learns what comes of that, and tries in turn if only that one may not.
   * @throws {GatewayError} `start_throttled` if there have been too many starts in this hour, or too many for the API, and
   * as the API's client does
   */
  async start(wanted: WantedStart): Promise<StartOutcome> {
    if (wanted.intent === "visit" && this.#locks.has(denialKey(wanted))) {
      return { kind: "too_soon" };
    }
    let isOwn = false;
    const asked = this.#runs.share(wanted.sandboxId, () => {
      isOwn = true;
      return this.#run(wanted);
    });
    // Its failure is reported by `onEnd`, and to who still waits.
    this.#options.background.add("start sandbox", asked.catch(() => {}));
    try {
      if (!await fulfilsWithin(asked, WAIT_MS)) return { kind: "under_way" };
      const end = await asked;
      if (isOwn || end.kind !== "not_allowed" && end.kind !== "too_soon") {
        return end;
      }
    } catch (error) {
      if (isOwn || !isThrottled(error)) throw error;
    }
    return await this.start(wanted);
  }

  async #run(wanted: WantedStart): Promise<StartOutcome> {
    const { sandboxId, intent } = wanted;
    const { changes, onEnd } = this.#options;
    const lock = digestKey(["start", sandboxId]);
    if (!await this.#locks.claim(lock, CLAIM_MS)) {
      this.#begun.set(sandboxId, true, { ttl: BEGUN_MS });
      return { kind: "under_way" };
    }
    const last = lastStartKey(sandboxId);
    const isFirst = await this.#locks.claim(last, VISIT_PAUSE_MS);
    if (intent === "visit" && !isFirst) {
      await this.#locks.release(lock);
      return { kind: "too_soon" };
    }
    this.#begun.set(sandboxId, true);
    let outcome: StartEnd = "failed";
    let reason: string | undefined;
    try {
      const answer = await this.#ask(wanted);
      outcome = answer.kind;
      if ("reason" in answer) reason = answer.reason;
      return answer;
    } catch (error) {
      if (isThrottled(error)) {
        outcome = "throttled";
        await this.#locks.release(last); // somebody else may still start it
      }
      throw error;
    } finally {
      if (outcome === "under_way") {
        this.#begun.set(sandboxId, true, { ttl: BEGUN_MS });
      } else this.#begun.delete(sandboxId);
      // Nobody who may not start it, or not so often, is to have it asked about everywhere.
      if (outcome !== "not_allowed" && outcome !== "throttled") {
        await changes.announce(sandboxId);
      }
      await this.#locks.release(lock);
      onEnd(wanted, { outcome, reason });
    }
  }

  /** @throws {GatewayError} `start_throttled`, or as the API's client does */
  async #ask(wanted: WantedStart): Promise<Answer> {
    const { sandboxId, credential, quotaKey, means } = wanted;
    const { api, now } = this.#options;
    const organizationId = wanted.organizationId ?? "";
    const pauseMs = (this.#pausedUntil.get(organizationId) ?? 0) - now();
    if (pauseMs > 0) throw throttled("The API has asked for a pause", pauseMs);
    const spent = await this.#takeSlot(["by", quotaKey]);
    const slot = await this.#takeSlot(["of", sandboxId])
      .catch(async (error) => {
        await this.#locks.release(spent);
        throw error;
      });
    const answer = means === "start"
      ? await api.startSandbox(sandboxId, credential)
      : await api.recoverSandbox(sandboxId, credential);
    if (answer.kind === "not_allowed") {
      // Who may not start it must not keep others from it, and need not be told again at every visit.
      await this.#locks.release(slot);
      await this.#locks.release(lastStartKey(sandboxId));
      this.#locks.keep(denialKey(wanted), VISIT_PAUSE_MS);
    } else if (answer.kind === "throttled") {
      await this.#locks.release(slot);
      await this.#locks.release(spent);
      const askedMs = answer.retryAfterSec * 1000;
      this.#pausedUntil.set(organizationId, now() + askedMs);
      throw throttled("The API asks for a pause between starts", askedMs);
    }
    return answer;
  }

  /** Takes one of this hour's starts from a quota, for its key; throws `start_throttled` if there is none. */
  async #takeSlot(quota: readonly string[]): Promise<string> {
    const { perHour, now } = this.#options;
    const hour = Math.floor(now() / HOUR_MS);
    const leftMs = (hour + 1) * HOUR_MS - now();
    for (let nth = 0; nth < perHour; nth++) {
      const slot = digestKey([...quota, String(hour), String(nth)]);
      if (await this.#locks.claim(slot, leftMs)) return slot;
    }
    throw throttled("Too many starts this hour", leftMs);
  }
}

function lastStartKey(sandboxId: string): string {
  return digestKey(["last", sandboxId]);
}

function denialKey({ sandboxId, quotaKey }: WantedStart): string {
  return digestKey(["denied", sandboxId, quotaKey]);
}

function isThrottled(error: unknown): boolean {
  return error instanceof GatewayError && error.code.endsWith("_throttled");
}

function throttled(reason: string, ms: number): GatewayError {
  const retryAfterSec = Math.ceil(ms / 1000);
  return new GatewayError("start_throttled", reason, { retryAfterSec });
}
