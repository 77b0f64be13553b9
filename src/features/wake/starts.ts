/**
 * Starts sandboxes: each only once at a time, and only so often in an hour, at all gateways that share a durable tier
 * together. Who may start which is not decided here.
 */
import { LRUCache } from "lru-cache";
import { type DurableStore, entryUntil } from "../../cache/store.ts";
import type {
  DaytonaApi,
  StartAnswer,
  StartCredential,
} from "../../daytona/api.ts";
import { GatewayError } from "../../errors.ts";
import type { Background } from "../../lib/background.ts";
import { digestKey } from "../../lib/digest.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import type {
  StartEnd,
  StarterKind,
} from "../../observability/metrics/facts.ts";
import type { SandboxChanges } from "../../resolver/sandbox_changes.ts";

/** Longest wait for the API's answer, ms: a refusal comes at once, and a start is watched by its state. */
const WAIT_MS = 2000;

/** Time for which a start keeps others from beginning, ms: longer than the API may take to answer. */
const CLAIM_MS = 45_000;

/** Time for which a start that somebody else has begun counts before the sandbox's state shows it, ms. */
const BEGUN_MS = 10_000;

/**
 * Time after a start in which no visit starts the sandbox again, ms. If it stops as soon as it runs, the page that waits
 * for it would keep on visiting.
 */
const VISIT_PAUSE_MS = 5 * 60_000;

const HOUR_MS = 3_600_000;

/** The ends of a start that has changed nothing. */
const UNCHANGING: ReadonlySet<StartEnd> = new Set<StartEnd>([
  "not_allowed",
  "throttled",
]);

/** How a sandbox comes to run: `recover` is for one in an error. */
export type StartMeans = "start" | "recover";

/** What a visitor did to have a sandbox started: pressed the button, opened it, or called as a program. */
export type StartIntent = "press" | "visit" | "call";

/** A start that somebody wants. */
export interface WantedStart {
  readonly sandboxId: string;
  /** Whose it is: the API limits how often an organization starts sandboxes. */
  readonly organizationId: string | null;
  readonly means: StartMeans;
  readonly credential: StartCredential;
  /** Who pays for it out of their starts of the hour: a key that names one visitor or client. */
  readonly payer: string;
  /** The id of the request, for the log. */
  readonly requestId: string;
  readonly intent: StartIntent;
  /** By what the visitor was admitted, and what the log calls them. */
  readonly by: StarterKind;
  readonly subject: string | undefined;
}

/** What has come of it; `too_soon` if a visit does not start the sandbox again. */
export type StartOutcome =
  | Exclude<StartAnswer, { kind: "throttled" }>
  | { readonly kind: "too_soon" };

/** Dependencies of {@linkcode SandboxStarts} besides the API. */
interface SandboxStartsOptions {
  /** Null if starts are only known in process. */
  readonly store: Pick<DurableStore, "claim" | "delete"> | null;
  readonly changes: Pick<SandboxChanges, "announce">;
  readonly background: Pick<Background, "add">;
  /** Most starts of one sandbox, and by one payer, in an hour. */
  readonly perHour: number;
  readonly maxEntries: number;
  readonly now: () => number;
  /** Called at the end of each start, whatever came of it; `reason` is why it was refused, in the API's words. */
  readonly onEnd: (
    start: WantedStart,
    end: { readonly outcome: StartEnd; readonly reason?: string | undefined },
  ) => void;
}

/** The API's part of it. */
type StartApi = Pick<DaytonaApi, "startSandbox" | "recoverSandbox">;

/** Starts sandboxes. */
export class SandboxStarts {
  readonly #api: StartApi;
  readonly #options: SandboxStartsOptions;
  readonly #claimed: ExpiringLru<string, true>;
  /** By sandbox id: starts under way, as far as this process knows. */
  readonly #begun: ExpiringLru<string, true>;
  /** By organization: until when the API takes no more starts, ms since the epoch. */
  readonly #pauses: LRUCache<string, number>;

  constructor(
    api: StartApi,
    options: SandboxStartsOptions,
  ) {
    this.#api = api;
    this.#options = options;
    const { maxEntries: max, now } = options;
    this.#claimed = new ExpiringLru({ max, ttlMs: CLAIM_MS, now });
    this.#begun = new ExpiringLru({ max, ttlMs: CLAIM_MS, now });
    this.#pauses = new LRUCache({ max });
  }

  /** True if somebody has begun to start the sandbox a moment ago, which its state need not show yet. */
  isUnderWay(sandboxId: string): boolean {
    return this.#begun.has(sandboxId);
  }

  /**
   * Has the API start a sandbox, unless that is under way. If the API takes longer than 2 s, that is under way as well; it
   * goes on, also if the caller leaves.
   *
   * @throws {GatewayError} `start_throttled` if there have been too many starts in this hour, or too many for the API, and
   * as the API's client does
   */
  async start(wanted: WantedStart): Promise<StartOutcome> {
    const { sandboxId, intent } = wanted;
    const { background } = this.#options;
    if (intent === "visit" && this.#claimed.has(denialOf(wanted))) {
      return { kind: "too_soon" };
    }
    const lock = digestKey(["start", sandboxId]);
    if (!await this.#claim(lock, CLAIM_MS)) {
      this.#begun.set(sandboxId, true, { ttl: BEGUN_MS });
      return { kind: "under_way" };
    }
    const isFirst = await this.#claim(visitOf(sandboxId), VISIT_PAUSE_MS);
    if (intent === "visit" && !isFirst) {
      await this.#release(lock);
      return { kind: "too_soon" };
    }
    this.#begun.set(sandboxId, true);
    const asked = this.#run(wanted, lock);
    // Its failure is reported by `onEnd`, and to who still waits.
    background.add("start sandbox", asked.catch(() => {}));
    return await fulfilsWithin(asked, WAIT_MS)
      ? await asked
      : { kind: "under_way" };
  }

  async #run(wanted: WantedStart, lock: string): Promise<StartOutcome> {
    const { sandboxId } = wanted;
    const { changes, onEnd } = this.#options;
    let outcome: StartEnd = "failed";
    let reason: string | undefined;
    try {
      const answer = await this.#ask(wanted);
      outcome = answer.kind;
      if ("reason" in answer) reason = answer.reason;
      return answer;
    } catch (error) {
      if (error instanceof GatewayError && isThrottled(error)) {
        outcome = "throttled";
        await this.#release(visitOf(sandboxId)); // somebody else may still start it
      }
      throw error;
    } finally {
      if (outcome === "under_way") {
        this.#begun.set(sandboxId, true, { ttl: BEGUN_MS });
      } else this.#begun.delete(sandboxId);
      // Nobody who may not start it, or not so often, is to have it asked about everywhere.
      if (!UNCHANGING.has(outcome)) await changes.announce(sandboxId);
      await this.#release(lock);
      onEnd(wanted, { outcome, reason });
    }
  }

  /** @throws {GatewayError} `start_throttled`, or as the API's client does */
  async #ask(wanted: WantedStart): Promise<Exclude<StartOutcome, TooSoon>> {
    const { sandboxId, credential, payer, means, organizationId } = wanted;
    this.#checkPause(organizationId);
    const spent = await this.#spend(["by", payer]);
    const slot = await this.#spend(["of", sandboxId]).catch(async (error) => {
      await this.#release(spent);
      throw error;
    });
    const answer = means === "start"
      ? await this.#api.startSandbox(sandboxId, credential)
      : await this.#api.recoverSandbox(sandboxId, credential);
    switch (answer.kind) {
      case "not_allowed":
        // Who may not start it must not keep others from it, and need not be told again at every visit.
        await this.#release(slot);
        await this.#release(visitOf(sandboxId));
        this.#claimed.set(denialOf(wanted), true, { ttl: VISIT_PAUSE_MS });
        return answer;
      case "throttled":
        await this.#release(slot);
        await this.#release(spent);
        throw this.#pause(organizationId, answer.retryAfterSec);
      default:
        return answer;
    }
  }

  /** Notes that the API takes no starts of an organization for some time. */
  #pause(organizationId: string | null, seconds: number): GatewayError {
    const until = this.#options.now() + seconds * 1000;
    this.#pauses.set(organizationId ?? "", until);
    return throttled("The API asks for a pause between starts", seconds);
  }

  /** @throws {GatewayError} `start_throttled` */
  #checkPause(organizationId: string | null): void {
    const until = this.#pauses.get(organizationId ?? "") ?? 0;
    const leftMs = until - this.#options.now();
    if (leftMs <= 0) return;
    throw throttled("The API has asked for a pause", Math.ceil(leftMs / 1000));
  }

  /**
   * Takes one of the starts of this hour; resolves to its key.
   *
   * @throws {GatewayError} `start_throttled`
   */
  async #spend(purse: readonly string[]): Promise<string> {
    const { perHour, now } = this.#options;
    const hour = Math.floor(now() / HOUR_MS);
    const leftMs = (hour + 1) * HOUR_MS - now();
    for (let nth = 0; nth < perHour; nth++) {
      const slot = digestKey([...purse, String(hour), String(nth)]);
      if (await this.#claim(slot, leftMs)) return slot;
    }
    throw throttled("Too many starts this hour", Math.ceil(leftMs / 1000));
  }

  /** True if nobody else has claimed that. If the durable tier does not tell, this process decides. */
  async #claim(key: string, ms: number): Promise<boolean> {
    if (this.#claimed.has(key)) return false;
    this.#claimed.set(key, true, { ttl: ms });
    const { store, now } = this.#options;
    const entry = entryUntil(now() + ms, true);
    const claim = await store?.claim(["sandbox-start", key], entry);
    // Whoever has it may give it back, which only the store knows.
    if (claim === "taken") this.#claimed.delete(key);
    return claim !== "taken";
  }

  async #release(key: string): Promise<void> {
    await this.#options.store?.delete(["sandbox-start", key]);
    this.#claimed.delete(key);
  }
}

type TooSoon = { readonly kind: "too_soon" };

/** The key of the last start of a sandbox, as visits know it. */
function visitOf(sandboxId: string): string {
  return digestKey(["last", sandboxId]);
}

/** The key of the API's "no" to who wanted a start. */
function denialOf(
  { sandboxId, payer }: Pick<WantedStart, "sandboxId" | "payer">,
): string {
  return digestKey(["denied", sandboxId, payer]);
}

/** True if there were too many requests, whoever says so. */
function isThrottled({ code }: GatewayError): boolean {
  return code.endsWith("_throttled");
}

function throttled(reason: string, retryAfterSec: number): GatewayError {
  return new GatewayError("start_throttled", reason, { retryAfterSec });
}
